import type { Selectable } from 'kysely';
import type { ReadQueries, RunLogChunkRow } from '../../platform/database/index.ts';

export type ChunkRow = Selectable<RunLogChunkRow>;

/** The chunk that holds a record, or the first after it; undefined: there is none yet. */
export async function chunkFromRecord(db: ReadQueries, rowId: number, record: number): Promise<ChunkRow | undefined> {
  const holding = await db
    .selectFrom('run_log_chunks')
    .selectAll()
    .where('run_row_id', '=', rowId)
    .where('first_record', '<=', record)
    .orderBy('first_record', 'desc')
    .limit(1)
    .executeTakeFirst();
  return holding !== undefined && holding.first_record + holding.records > record ? holding : undefined;
}

/** Number of the first record of the chunk in which a byte of the log as text lies. */
export async function recordAtByte(db: ReadQueries, rowId: number, offset: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('run_log_chunks')
    .select('first_record')
    .where('run_row_id', '=', rowId)
    .where('raw_offset', '<=', offset)
    .orderBy('first_record', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.first_record;
}
