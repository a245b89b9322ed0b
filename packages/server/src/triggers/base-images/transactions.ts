import type { Selectable } from 'kysely';
import {
  type TaskBaseImageRow,
  type WriteQueries,
  defineTransaction,
  lockFreeRows,
  lockRows,
} from '../../platform/database/index.ts';
import type { TriggerDecision } from '../decisions/model.ts';
import { keepDecisions } from '../decisions/transactions.ts';
import type { BaseImageName } from './model.ts';
import { decideAt } from './moved-tag-transactions.ts';

export type StoredBaseImage = Selectable<TaskBaseImageRow>;

export interface TaskPlace {
  readonly registryId: number;
  readonly task: string;
}

export interface ImagePlace extends TaskPlace, BaseImageName {}

function rowOf(tx: WriteQueries, { registryId, task, server, repository, tag }: ImagePlace) {
  return tx
    .updateTable('task_base_images')
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('server', '=', server)
    .where('repository', '=', repository)
    .where('tag', '=', tag);
}

export interface TakeUndecided {
  /** Rows at the most; a task's are taken together. */
  readonly limit: number;
  readonly now: number;
  readonly heldUntil: number;
}

/** Takes base images of which somebody has to decide, by the names of their tasks, and holds them. */
export const takeUndecided = defineTransaction(
  'triggers.take-undecided',
  async (tx, { limit, now, heldUntil }: TakeUndecided): Promise<readonly StoredBaseImage[]> => {
    const due = tx.selectFrom('task_base_images').where('decide_at', '<=', now);
    const first = await due.select(['registry_id', 'task']).orderBy('registry_id').orderBy('task').limit(limit).execute();
    const places = new Map(first.map((row) => [JSON.stringify([row.registry_id, row.task]), row]));
    const taken: StoredBaseImage[] = [];
    for (const { registry_id, task } of places.values()) {
      const rows = await lockFreeRows(
        tx
          .selectFrom('task_base_images')
          .selectAll()
          .where('registry_id', '=', registry_id)
          .where('task', '=', task)
          .where('decide_at', '<=', now)
          .orderBy('server')
          .orderBy('repository')
          .orderBy('tag'),
      ).execute();
      if (rows.length === 0) continue;
      await tx
        .updateTable('task_base_images')
        .set((eb) => ({ decide_at: heldUntil, claimed_at: eb.fn.coalesce('claimed_at', eb.lit(now)) }))
        .where('registry_id', '=', registry_id)
        .where('task', '=', task)
        .where('decide_at', '<=', now)
        .execute();
      taken.push(...rows);
    }
    return taken;
  },
);

export interface SettledImage extends BaseImageName {
  /** What was decided about. */
  readonly digest: string;
  /** No run is wanted for this digest any more. */
  readonly isHandled: boolean;
  /** When to look again; null: when it moves again. */
  readonly decideAt: number | null;
  readonly pausedUntil: number | null;
}

export interface SettleImages extends TaskPlace {
  /** By which it was held: what moved meanwhile is due again, and stays so. */
  readonly heldUntil: number;
  readonly images: readonly SettledImage[];
  readonly decisions: readonly TriggerDecision[];
  readonly now: number;
}

/** Ends a decision and keeps why. */
export const settleImages = defineTransaction('triggers.settle-images', async (tx, input: SettleImages): Promise<void> => {
  const { heldUntil, images, decisions, now } = input;
  for (const image of images) {
    if (image.isHandled)
      await rowOf(tx, { ...input, ...image })
        .set({ handled_digest: image.digest })
        .execute();
    await rowOf(tx, { ...input, ...image })
      .set({ decide_at: image.decideAt, paused_until: image.pausedUntil, claimed_at: null })
      .where('decide_at', '=', heldUntil)
      .execute();
  }
  await keepDecisions(tx, decisions, now);
});

export interface RecordedImage extends BaseImageName {
  readonly role: TaskBaseImageRow['role'];
  readonly digest: string;
  readonly isWatched: boolean;
  /** Null: its pushes are seen. */
  readonly nextCheckAt: number | null;
}

export interface RecordBaseImages extends TaskPlace {
  /** 0: no run of the task has succeeded. */
  readonly runRowId: number;
  readonly watch: string;
  readonly images: readonly RecordedImage[];
  readonly now: number;
}

/** Puts what a run was built on in the place of what an earlier one was. False: it is of an earlier run itself. */
export const recordBaseImages = defineTransaction(
  'triggers.record-base-images',
  async (tx, input: RecordBaseImages): Promise<boolean> => {
    const { registryId: registry_id, task, runRowId: run_row_id, watch, images, now } = input;
    await tx
      .insertInto('task_base_runs')
      .values({ registry_id, task, run_row_id: 0, watch })
      .onConflict((conflict) => conflict.columns(['registry_id', 'task']).doNothing())
      .execute();
    const known = await lockRows(
      tx.selectFrom('task_base_runs').select('run_row_id').where('registry_id', '=', registry_id).where('task', '=', task),
    ).executeTakeFirst();
    if (known === undefined || known.run_row_id > run_row_id) return false;
    await tx
      .updateTable('task_base_runs')
      .set({ run_row_id, watch })
      .where('registry_id', '=', registry_id)
      .where('task', '=', task)
      .execute();
    await removeOthers(tx, input);
    for (const image of images) await upsert(tx, input, image);
    // What moved before the run began to use it is news; what is as the run used it is none.
    const all = tx.updateTable('task_base_images').where('registry_id', '=', registry_id).where('task', '=', task);
    await all
      .set({ decide_at: null })
      .where((eb) => eb.or([eb('is_watched', '=', 0), eb('current_digest', '=', eb.ref('recorded_digest'))]))
      .execute();
    await all
      .set({ decide_at: decideAt(now) })
      .where('is_watched', '=', 1)
      .where('decide_at', 'is', null)
      .where('current_digest', '!=', (eb) => eb.ref('recorded_digest'))
      .where((eb) => eb.or([eb('handled_digest', 'is', null), eb('handled_digest', '!=', eb.ref('current_digest'))]))
      .execute();
    return true;
  },
);

async function removeOthers(tx: WriteQueries, { registryId, task, images }: RecordBaseImages): Promise<void> {
  const keyOf = ({ server, repository, tag }: BaseImageName): string => JSON.stringify([server, repository, tag]);
  const kept = new Set(images.map(keyOf));
  const rows = await tx
    .selectFrom('task_base_images')
    .select(['server', 'repository', 'tag'])
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .execute();
  for (const row of rows) {
    if (kept.has(keyOf(row))) continue;
    await tx
      .deleteFrom('task_base_images')
      .where('registry_id', '=', registryId)
      .where('task', '=', task)
      .where('server', '=', row.server)
      .where('repository', '=', row.repository)
      .where('tag', '=', row.tag)
      .execute();
  }
}

async function upsert(tx: WriteQueries, { registryId, task }: RecordBaseImages, image: RecordedImage): Promise<void> {
  const { server, repository, tag, role, digest, isWatched, nextCheckAt } = image;
  const said = { role, is_watched: isWatched ? 1 : 0, recorded_digest: digest, next_check_at: nextCheckAt };
  const fresh = {
    current_digest: null,
    current_run: null,
    moved_id: null,
    handled_digest: null,
    checked_at: null,
    problem: null,
  };
  await tx
    .insertInto('task_base_images')
    .values({
      registry_id: registryId,
      task,
      server,
      repository,
      tag,
      failures: 0,
      ...said,
      ...fresh,
      decide_at: null,
      claimed_at: null,
      paused_until: null,
    })
    .onConflict((conflict) => conflict.columns(['registry_id', 'task', 'server', 'repository', 'tag']).doUpdateSet(said))
    .execute();
}

export interface NoteDigest extends ImagePlace {
  readonly digest: string;
  /** What was known of moves when somebody looked: what moved since is newer. */
  readonly movedId: number | null;
  readonly now: number;
}

/** What a look at a registry of this deployment found, for rows that were made after the tag had moved. */
export const noteDigest = defineTransaction('triggers.note-digest', async (tx, input: NoteDigest): Promise<void> => {
  const { digest, movedId, now } = input;
  await rowOf(tx, input)
    .set({ current_digest: digest, checked_at: now })
    .where('moved_id', movedId === null ? 'is' : '=', movedId)
    .execute();
  await rowOf(tx, input)
    .set({ decide_at: decideAt(now) })
    .where('moved_id', movedId === null ? 'is' : '=', movedId)
    .where('current_digest', '=', digest)
    .where('recorded_digest', '!=', digest)
    .where('decide_at', 'is', null)
    .where((eb) => eb.or([eb('handled_digest', 'is', null), eb('handled_digest', '!=', digest)]))
    .execute();
});

/** Forgets everything about a task that is gone. */
export const forgetTask = defineTransaction(
  'triggers.forget-task',
  async (tx, { registryId, task }: TaskPlace): Promise<void> => {
    for (const table of ['task_base_images', 'task_base_runs', 'task_timers', 'trigger_decisions'] as const)
      await tx.deleteFrom(table).where('registry_id', '=', registryId).where('task', '=', task).execute();
  },
);
