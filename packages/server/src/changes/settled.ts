import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../platform/database/index.ts';

const pollMs = 20;

/**
 * Resolves once every transaction that runs now has ended (PostgreSQL: of any database of the server), so that everything that
 * was written before can be read from the log; or when `signal` aborts.
 */
export async function untilSettled({ engine, read }: Pick<Database, 'engine' | 'read'>, signal: AbortSignal): Promise<void> {
  if (engine === 'sqlite') return;
  const now = await sql<{ next: string }>`select pg_snapshot_xmax(pg_current_snapshot())::text as next`.execute(read);
  const next = now.rows[0]?.next ?? '0';
  while (!signal.aborted) {
    const { rows } = await sql<{ over: boolean }>`
      select pg_snapshot_xmin(pg_current_snapshot()) >= ${next}::xid8 as over`.execute(read);
    if (rows[0]?.over === true) return;
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
