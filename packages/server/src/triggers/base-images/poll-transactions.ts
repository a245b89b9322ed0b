import { defineTransaction, lockFreeRows } from '../../platform/database/index.ts';
import type { TriggerDecision } from '../decisions/model.ts';
import { keepDecisions } from '../decisions/transactions.ts';
import { decideAt } from './moved-tag-transactions.ts';
import type { ImagePlace, StoredBaseImage } from './transactions.ts';

/** Takes the base images whose look has been due the longest, and holds them. */
export const takeDueLooks = defineTransaction(
  'triggers.take-due-looks',
  async (
    tx,
    { now, heldUntil, limit }: { readonly now: number; readonly heldUntil: number; readonly limit: number },
  ): Promise<readonly StoredBaseImage[]> => {
    const due = await lockFreeRows(
      tx.selectFrom('task_base_images').selectAll().where('next_check_at', '<=', now).orderBy('next_check_at').limit(limit),
    ).execute();
    for (const { registry_id, task, server, repository, tag } of due)
      await tx
        .updateTable('task_base_images')
        .set({ next_check_at: heldUntil })
        .where('registry_id', '=', registry_id)
        .where('task', '=', task)
        .where('server', '=', server)
        .where('repository', '=', repository)
        .where('tag', '=', tag)
        .execute();
    return due;
  },
);

export interface EndLook extends ImagePlace {
  readonly heldUntil: number;
  /** Null: not before its tag moves. */
  readonly nextCheckAt: number | null;
  /** Undefined: it could not be found out. */
  readonly digest: string | undefined;
  readonly problem: string | null;
  readonly decision: TriggerDecision | undefined;
  readonly now: number;
}

/** Keeps what a look found. Where the image moved, the other tasks that are built on it look at once, too. */
export const endLook = defineTransaction('triggers.end-look', async (tx, input: EndLook): Promise<void> => {
  const { registryId, task, server, repository, tag, digest, problem, heldUntil, nextCheckAt, decision, now } = input;
  const images = () =>
    tx.updateTable('task_base_images').where('server', '=', server).where('repository', '=', repository).where('tag', '=', tag);
  const mine = () => images().where('registry_id', '=', registryId).where('task', '=', task);
  if (decision !== undefined) await keepDecisions(tx, [decision], now);
  // Kicked or recorded anew meanwhile: then it stays due.
  await mine().set({ next_check_at: nextCheckAt }).where('next_check_at', '=', heldUntil).execute();
  if (digest === undefined) {
    await mine()
      .set((eb) => ({ checked_at: now, problem, failures: eb('failures', '+', 1) }))
      .execute();
    return;
  }
  await mine()
    .set({ decide_at: decideAt(now) })
    .where('recorded_digest', '!=', digest)
    .where((eb) => eb.or([eb('current_digest', 'is', null), eb('current_digest', '!=', digest)]))
    .execute();
  await mine().set({ current_digest: digest, checked_at: now, problem: null, failures: 0 }).execute();
  await images()
    .set({ next_check_at: now })
    .where('next_check_at', '>', now)
    .where('failures', '=', 0)
    .where('current_digest', 'is not', null)
    .where('current_digest', '!=', digest)
    .execute();
});
