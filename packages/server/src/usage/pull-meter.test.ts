import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Database } from '../platform/database/index.ts';
import { PullMeter } from './pull-meter.ts';
import type { RecordUsage } from './transactions.ts';

const log = pino({ enabled: false });
const clock = { now: () => 7 * 3_600_000 };

/** A database that answers when it is told to. */
function slowDatabase(): { readonly database: Database; readonly written: RecordUsage[]; answer(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const written: RecordUsage[] = [];
  const write = async (_: unknown, input: RecordUsage): Promise<void> => {
    written.push(input);
    await promise;
  };
  return { database: { write } as unknown as Database, written, answer: resolve };
}

test('while the database does not answer, what is counted stays bounded, and totals are exact', async () => {
  const { database, written, answer } = slowDatabase();
  const meter = new PullMeter({ database, clock, log });
  const pulls = 100_000;
  for (let manifestId = 0; manifestId < pulls; manifestId += 1)
    meter.pulled({ registryId: 1, repository: 'a', manifestId, tag: `v${manifestId}` });
  answer();
  await meter.flush();
  await meter.flush();
  const rows = written.map(({ manifests, tags }) => manifests.length + tags.length);
  assert.equal(
    rows.reduce((sum, count) => sum + count, 0),
    40_000,
    'one lot that was being written, and one that waited',
  );
  assert.ok(Math.max(...rows) <= 1000, 'a transaction is short: others write between two');
  const counted = written.flatMap(({ hours }) => hours).reduce((sum, hour) => sum + hour.pulls, 0);
  assert.equal(counted, pulls);
  assert.equal(meter.totals.pulls, pulls);
});

test('pulls of one manifest are one row, with how many and the last time', async () => {
  const { database, written, answer } = slowDatabase();
  answer();
  const times = [5, 9];
  const meter = new PullMeter({ database, clock: { now: () => times.shift() ?? 9 }, log });
  for (const tag of ['v1', undefined]) meter.pulled({ registryId: 1, repository: 'a', manifestId: 3, tag });
  await meter.flush();
  const [hours, rows] = written;
  assert.deepEqual(hours?.hours, [{ registryId: 1, hour: 0, pulls: 2, pushes: 0 }]);
  assert.deepEqual(rows?.manifests, [{ id: 3, count: 2, at: 9 }]);
  assert.deepEqual(rows?.tags, [{ registryId: 1, repository: 'a', tag: 'v1', at: 5 }]);
});
