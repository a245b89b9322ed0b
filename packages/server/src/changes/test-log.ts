import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { TestEngine } from '@berth/testkit';
import type { Database } from '../platform/database/index.ts';
import { type ChangesRead, currentCursor, readChanges } from './read-changes.ts';
import type { LocalChange } from './record-changes.ts';
import { untilSettled } from './settled.ts';
import { addRegistry, writeLog } from './test-transactions.ts';

export const transactionsModule = new URL('./test-transactions.ts', import.meta.url);
export const dayMs = 86_400_000;

/** The log of one registry, written and read. */
export interface TestLog {
  readonly database: Database;
  readonly registryId: number;
  readonly clock: { time: number; now(): number };
  /** Writes so many tags of an image, each in a transaction of its own; their names begin so. */
  write(count: number, prefix?: string): Promise<void>;
  record(...changes: readonly LocalChange[]): Promise<void>;
  /** Where the log ends, and what it has after a cursor, once everything that was written can be read. */
  cursor(): Promise<string>;
  read(after: string, more?: { readonly limit?: number; readonly except?: string }): Promise<ChangesRead>;
}

export async function openTestLog(engine: TestEngine, t: TestContext, isReplicated = true): Promise<TestLog> {
  const database = await engine.open(t, { transactionsModule });
  const registryId = await database.write(addRegistry, { name: `r${randomUUID()}`, isReplicated });
  const clock = { time: 1_700_000_000_000, now: () => clock.time };
  const record = (...changes: readonly LocalChange[]): Promise<unknown> =>
    database.write(writeLog, { registryId, changes, now: clock.now() });
  return {
    database,
    registryId,
    clock,
    record: async (...changes) => void (await record(...changes)),
    write: async (count, prefix = 'v') => {
      for (let number = 0; number < count; number += 1)
        await record({ action: 'tag', repository: 'a', tag: `${prefix}${number}`, digest: 'sha256:1' });
    },
    cursor: async () => {
      await untilSettled(database, t.signal);
      return currentCursor(database, registryId, clock.now());
    },
    read: async (after, { limit = 100, except } = {}) => {
      await untilSettled(database, t.signal);
      return readChanges(database, { registryId, after, limit, except, tombstoneRetentionMs: 30 * dayMs, now: clock.now() });
    },
  };
}

export const namesOf = ({ changes }: ChangesRead): readonly string[] => changes.map(({ fact }) => fact.name);
