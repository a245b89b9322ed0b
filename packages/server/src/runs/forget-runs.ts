import { type WriteQueries, defineTransaction, lockFreeRows } from '../platform/database/index.ts';

export interface ForgetRuns {
  readonly finishedBefore: number;
  readonly now: number;
  readonly limit: number;
}

/** Deletes a batch of runs with their logs: those that ended long ago, and all of deleted registries. Returns whether there may be more. */
export const forgetRuns = defineTransaction('runs.forget', async (tx, input: ForgetRuns): Promise<boolean> => {
  const { finishedBefore, now, limit } = input;
  const old = tx
    .selectFrom('runs')
    .select('id')
    .where('finished_at', '<', finishedBefore)
    .where('is_archived', '=', 0)
    .orderBy('finished_at')
    .limit(limit);
  const rows = await lockFreeRows(old).execute();
  const orphans = await orphansOf(tx, limit);
  const ids = [...rows, ...orphans].map(({ id }) => id);
  if (ids.length === 0) return false;
  // The objects are erased from the store before their rows go.
  await tx.updateTable('run_objects').set({ expires_at: now }).where('run_row_id', 'in', ids).execute();
  await tx.deleteFrom('runs').where('id', 'in', ids).execute();
  return rows.length === limit || orphans.length === limit;
});

async function orphansOf(tx: WriteQueries, limit: number): Promise<readonly { readonly id: number }[]> {
  const deleted = await tx.selectFrom('registries').select('id').where('deleted_at', 'is not', null).execute();
  for (const { id } of deleted) {
    const rows = await lockFreeRows(tx.selectFrom('runs').select('id').where('registry_id', '=', id).limit(limit)).execute();
    if (rows.length > 0) return rows;
  }
  return [];
}
