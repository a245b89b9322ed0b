import type { Clock } from '../platform/clock.ts';
import type { NoticedDatabase } from '../platform/database/index.ts';
import type { Logger } from '../platform/logger.ts';
import { repeat } from '../platform/repeat.ts';
import { LogBell } from './log-bell.ts';
import { adoptRows } from './adopt-rows.ts';
import { makeRegisters } from './make-registers.ts';
import { pruneLog } from './prune-log.ts';
import { pruneRegisters } from './prune-registers.ts';

/** How late the registers of a registry that is replicated from now on may begin to be made. */
const registersMs = 500;
const dayMs = 86_400_000;
/** A consumer that reads no more keeps a log for so many times as long as others. */
const patience = 4;

export interface ChangesOptions {
  readonly database: NoticedDatabase;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Of all registries. */
  readonly ids: () => readonly number[];
  readonly changeRetentionMs: number;
  readonly tombstoneRetentionMs: number;
  /** How often what is old is looked for. */
  readonly pruneIntervalMs: number;
}

/** The log of changes and the registers of replicated registries. */
export interface Changes {
  /** The log of a registry may have grown. Called often; must be quick. */
  onGrown(listener: (registryId: number) => void): void;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
}

export function createChanges(options: ChangesOptions): Changes {
  const { database, signal, log, pruneIntervalMs, tombstoneRetentionMs } = options;
  const bell = new LogBell(database);
  database.onWritten((input) => bell.written(input));
  signal.addEventListener('abort', () => bell.close(), { once: true });
  const tombstonesMs = Math.min(dayMs, Math.max(pruneIntervalMs, tombstoneRetentionMs / 10));
  const rounds = [
    { name: 'registers of replicated registries', everyMs: registersMs, work: () => makeRegisters(options, signal) },
    { name: 'retention of the change log', everyMs: pruneIntervalMs, work: () => pruneLogs(options) },
    { name: 'retention of deletions', everyMs: tombstonesMs, work: () => pruneTombstones(options) },
  ];
  return {
    onGrown: (listener) => bell.onGrown(listener),
    loops: () => rounds.map(({ name, everyMs, work }) => repeat(work, { name, everyMs, signal, log })),
  };
}

type Pruning = Pick<ChangesOptions, 'database' | 'clock' | 'signal' | 'ids' | 'changeRetentionMs' | 'tombstoneRetentionMs'>;

async function pruneLogs({ database, clock, signal, ids, changeRetentionMs }: Pruning): Promise<void> {
  for (const registryId of ids()) {
    const now = clock.now();
    const [before, beforeAtLast] = [now - changeRetentionMs, now - patience * changeRetentionMs];
    const { engine } = database;
    if (engine === 'postgres') await database.write(adoptRows, { registryId });
    for (let isMore = true; isMore && !signal.aborted; )
      isMore = await database.write(pruneLog, { registryId, engine, before, beforeAtLast });
  }
}

async function pruneTombstones({ database, clock, signal, ids, tombstoneRetentionMs }: Pruning): Promise<void> {
  for (const registryId of ids())
    await pruneRegisters(database, { registryId, before: clock.now() - tombstoneRetentionMs }, signal);
}
