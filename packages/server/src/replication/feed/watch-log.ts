import type { Database } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logger.ts';
import { repeat } from '../../platform/repeat.ts';
import type { FeedWaits } from './feed-waits.ts';

/** One look for all who wait, whoever wrote: a purge here, a push in another process. */
const everyMs = 200;

export interface WatchLogOptions {
  readonly database: Database;
  readonly log: Logger;
  readonly waits: FeedWaits;
  readonly signal: AbortSignal;
}

/** Rings for each registry whose log has grown, while somebody waits. Resolves once the signal aborts. */
export function watchLog({ database, log, waits, signal }: WatchLogOptions): Promise<void> {
  let seen: number | undefined;
  const look = async (): Promise<void> => {
    if (waits.waiting === 0) {
      seen = undefined;
      return;
    }
    const before = seen;
    seen = await lastSequence(database);
    // Who began to wait just now has looked already.
    if (before === undefined || seen <= before) return;
    for (const registryId of await registriesAfter(database, before)) waits.ring(registryId);
  };
  return repeat(look, { name: 'changes that other regions wait for', everyMs, signal, log });
}

async function lastSequence({ read }: Database): Promise<number> {
  const row = await read.selectFrom('changes').select('sequence').orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  return row?.sequence ?? 0;
}

async function registriesAfter({ read }: Database, sequence: number): Promise<readonly number[]> {
  const rows = await read.selectFrom('changes').select('registry_id').distinct().where('sequence', '>', sequence).execute();
  return rows.map((row) => row.registry_id);
}
