import { defineTransaction, lockRows } from '../../platform/database/index.ts';

/** A chunk in an object. */
export interface MovedChunk {
  readonly first_record: number;
  readonly records: number;
  readonly raw_offset: number;
  readonly raw_bytes: number;
  readonly object_offset: number;
  readonly object_bytes: number;
}

export interface MoveLog {
  readonly rowId: number;
  readonly object: { readonly id: string; readonly dataKeyId: string; readonly sizeBytes: number; readonly expiresAt: number };
  readonly chunks: readonly MovedChunk[];
}

const maxRowsAtOnce = 100;

/** The log of a run that ended lies in an object from now on. False: somebody else was faster, or the run is gone. */
export const moveLog = defineTransaction('runs.move-log', async (tx, { rowId, object, chunks }: MoveLog): Promise<boolean> => {
  const run = await lockRows(tx.selectFrom('runs').select('finished_at').where('id', '=', rowId)).executeTakeFirst();
  if (run === undefined || run.finished_at === null) return false;
  const sealed = await tx
    .selectFrom('run_log_chunks')
    .select(({ fn }) => fn.sum<number | string | null>('records').as('records'))
    .where('run_row_id', '=', rowId)
    .where('sealed', 'is not', null)
    .executeTakeFirst();
  if (Number(sealed?.records ?? 0) !== chunks.reduce((sum, { records }) => sum + records, 0)) return false;
  const kept = await tx
    .updateTable('run_objects')
    .set({ size_bytes: object.sizeBytes, expires_at: null })
    .where('id', '=', object.id)
    .where('expires_at', '=', object.expiresAt)
    .returning('id')
    .executeTakeFirst();
  if (kept === undefined) return false;
  await tx.deleteFrom('run_log_chunks').where('run_row_id', '=', rowId).execute();
  const rows = chunks.map((chunk) => ({
    run_row_id: rowId,
    ...chunk,
    data_key_id: object.dataKeyId,
    sealed: null,
    object_id: object.id,
  }));
  for (let at = 0; at < rows.length; at += maxRowsAtOnce) {
    await tx
      .insertInto('run_log_chunks')
      .values(rows.slice(at, at + maxRowsAtOnce))
      .execute();
  }
  return true;
});

export const logTransactions = [moveLog];
