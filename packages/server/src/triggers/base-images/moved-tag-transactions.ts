import { type ExpressionBuilder, sql } from 'kysely';
import { type Tables, type WriteQueries, defineTransaction, lockFreeRows } from '../../platform/database/index.ts';

/** When a row that moved is to be decided about: then, or at the end of its pause. */
export function decideAt(time: number) {
  return sql<number>`case when is_watched = 1 then (case when paused_until > ${time} then paused_until else ${time} end) end`;
}

export interface TakeMovedTags {
  /** Login servers in lower case, by registry id. */
  readonly servers: readonly (readonly [registryId: number, server: string])[];
  readonly limit: number;
  readonly now: number;
  /** When tags that do not move again are decided about. */
  readonly settledAt: number;
}

export interface TakenTags {
  readonly taken: number;
  /** Rows of tasks that somebody has to decide about. */
  readonly undecided: number;
  /** Rows of tasks of other registries, who have to look whether they may know. */
  readonly toLookAt: number;
}

type MovedTag = {
  readonly id: number;
  readonly registry_id: number;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly run_id: string | null;
};

/**
 * Takes words of moved tags that no other process takes, and notes what follows: both in one, so that none is lost or counts twice. The
 * last move of a tag wins, in whatever order processes take them.
 */
export const takeMovedTags = defineTransaction(
  'triggers.take-moved-tags',
  async (tx, { servers, limit, now, settledAt }: TakeMovedTags): Promise<TakenTags> => {
    const moved = await lockFreeRows(
      tx
        .selectFrom('moved_tags')
        .select(['id', 'registry_id', 'repository', 'tag', 'digest', 'run_id'])
        .orderBy('id')
        .limit(limit),
    ).execute();
    if (moved.length === 0) return { taken: 0, undecided: 0, toLookAt: 0 };
    const serverOf = new Map(servers);
    const last = new Map(moved.map((row) => [JSON.stringify([row.registry_id, row.repository, row.tag]), row]));
    let [undecided, toLookAt] = [0, 0];
    for (const row of last.values()) {
      const server = serverOf.get(row.registry_id);
      // A registry that is not known yet here has no tasks yet that built on it.
      if (server === undefined) continue;
      undecided += await noteOwn(tx, row, { server, now, settledAt });
      toLookAt += await noteOthers(tx, row, { server, settledAt });
    }
    const ids = moved.map(({ id }) => id);
    await tx.deleteFrom('moved_tags').where('id', 'in', ids).execute();
    return { taken: moved.length, undecided, toLookAt };
  },
);

interface Where {
  readonly server: string;
  readonly settledAt: number;
}

async function noteOwn(
  tx: WriteQueries,
  row: MovedTag,
  { server, now, settledAt }: Where & { readonly now: number },
): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('task_base_images')
    .set({
      current_digest: row.digest,
      // What is let out of quarantine, or restored, was pushed before.
      current_run: sql`case when current_digest = ${row.digest} then coalesce(${row.run_id}, current_run) else ${row.run_id} end`,
      moved_id: row.id,
      checked_at: now,
      decide_at: decideAt(settledAt),
    })
    .where('registry_id', '=', row.registry_id)
    .where((eb) => isImage(eb, row, server))
    .where((eb) => eb.or([eb('moved_id', 'is', null), eb('moved_id', '<', row.id)]))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Whether the tasks of another registry may know what became of the tag, their credentials say. */
async function noteOthers(tx: WriteQueries, row: MovedTag, { server, settledAt }: Where): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('task_base_images')
    .set({ current_run: row.run_id, moved_id: row.id, next_check_at: settledAt })
    .where('registry_id', '!=', row.registry_id)
    .where((eb) => isImage(eb, row, server))
    .where('is_watched', '=', 1)
    .where((eb) => eb.or([eb('moved_id', 'is', null), eb('moved_id', '<', row.id)]))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

function isImage(eb: ExpressionBuilder<Tables, 'task_base_images'>, { repository, tag }: MovedTag, server: string) {
  return eb.and([eb('server', '=', server), eb('repository', '=', repository), eb('tag', '=', tag)]);
}
