import { type RawBuilder, sql } from 'kysely';
import type { ChangeRow, Database } from '../platform/database/index.ts';

/**
 * The order of a log. On SQLite that of its sequences. On PostgreSQL sequences are not given out in the order of commits: there
 * rows are read in the order of their transactions, and only those before the oldest that still runs. So nothing comes to stand
 * before what was read.
 */
export interface LogRow
  extends Pick<ChangeRow, 'clock' | 'origin' | 'action' | 'repository' | 'fact' | 'is_visible' | 'created_at'> {
  readonly sequence: number;
  /** Of PostgreSQL; empty on SQLite. */
  readonly transaction: string;
}

export type LogPlace = Pick<LogRow, 'sequence' | 'transaction'>;

/** Before everything. */
export const start: LogPlace = { sequence: 0, transaction: '0' };

type Reader = Pick<Database, 'engine' | 'read'>;

function rowsOf({ engine, read }: Reader, registryId: number) {
  return read
    .selectFrom('changes')
    .select(['sequence', 'clock', 'origin', 'action', 'repository', 'fact', 'is_visible', 'created_at'])
    .select((engine === 'postgres' ? sql<string>`transaction_id::text` : sql<string>`''`).as('transaction'))
    .where('registry_id', '=', registryId);
}

/** Rows behind a place, in order. */
export function rowsAfter(
  database: Reader,
  { registryId, after, limit }: { readonly registryId: number; readonly after: LogPlace; readonly limit: number },
): Promise<LogRow[]> {
  const rows = rowsOf(database, registryId).limit(limit);
  if (database.engine === 'sqlite') return rows.where('sequence', '>', after.sequence).orderBy('sequence').execute();
  return rows.where(isBehind(after)).where(isSettled).orderBy(sql`transaction_id`).orderBy('sequence').execute();
}

/** How many rows lie behind a place; at the most `limit`. */
export async function countAfter(
  { engine, read }: Reader,
  { registryId, after, limit }: { readonly registryId: number; readonly after: LogPlace; readonly limit: number },
): Promise<number> {
  const behind = read.selectFrom('changes').select('sequence').where('registry_id', '=', registryId).limit(limit);
  const rows =
    engine === 'sqlite' ? behind.where('sequence', '>', after.sequence) : behind.where(isBehind(after)).where(isSettled);
  const { count } = await read
    .selectFrom(rows.as('behind'))
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The last row in order; undefined: there is none that can be read. */
export function lastRow(database: Reader, registryId: number): Promise<LogRow | undefined> {
  const rows = rowsOf(database, registryId).limit(1);
  if (database.engine === 'sqlite') return rows.orderBy('sequence', 'desc').executeTakeFirst();
  return rows.where(isSettled).orderBy(sql`transaction_id`, 'desc').orderBy('sequence', 'desc').executeTakeFirst();
}

export function rowAt(database: Reader, registryId: number, sequence: number): Promise<LogRow | undefined> {
  return rowsOf(database, registryId).where('sequence', '=', sequence).executeTakeFirst();
}

/** The row of a sequence, or the nearest before it that is left. */
export function rowAtOrBefore(database: Reader, registryId: number, sequence: number): Promise<LogRow | undefined> {
  const rows = rowsOf(database, registryId).where('sequence', '<=', sequence);
  return rows.orderBy('sequence', 'desc').limit(1).executeTakeFirst();
}

const isSettled = sql<boolean>`transaction_id < pg_snapshot_xmin(pg_current_snapshot())`;

function isBehind({ transaction, sequence }: LogPlace): RawBuilder<boolean> {
  return sql<boolean>`(transaction_id, sequence) > (${transaction}::xid8, ${sequence}::bigint)`;
}
