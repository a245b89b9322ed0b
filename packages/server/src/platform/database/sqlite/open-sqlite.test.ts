import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { RegistryError } from '../../../errors/index.ts';
import { type Database, defineTransaction } from '../database.ts';
import * as given from '../test-transactions.ts';
import { openSqlite } from './open-sqlite.ts';
import { trusted } from '../trusted.ts';
import type { WriteQueueLimits } from './write-queue.ts';

const transactionsModule = new URL('../test-transactions.ts', import.meta.url);

async function open(t: TestContext, limits?: WriteQueueLimits): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-db-'));
  const file = join(folder, 'berth.db');
  const database = await openSqlite({ file, transactionsModule, now: 0, ...(limits === undefined ? {} : { limits }) });
  t.after(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  return database;
}

function isError(name: string): (error: unknown) => boolean {
  return (error) => error instanceof RegistryError && error.error === name;
}

test('the read connection cannot write', async (t) => {
  const database = await open(t);
  const query = database.read.insertInto('registries').values({ name: 'x', anonymous_pull: 0, created_at: 0 });
  await assert.rejects(query.execute(), /readonly/);
  await assert.rejects(
    database.read.transaction().execute(async () => {}),
    /Database\.write/,
  );
});

test('the connections are set for durability and integrity', async (t) => {
  const database = await open(t);
  const mode = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(database.read);
  assert.deepEqual(mode.rows, [{ journal_mode: 'wal' }]);
  const check = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(database.read);
  assert.deepEqual(check.rows, [{ integrity_check: 'ok' }]);
});

test('when the writer thread dies, everything that waits is told, and the database is unhealthy', async (t) => {
  const database = await open(t);
  await database.write(given.addRegistry, { name: 'before' });
  const waiting = [
    database.write(given.addRegistry, { name: 'same batch' }),
    database.write(given.endThread, {}),
    ...Array.from({ length: 100 }, (_, index) => database.write(given.addRegistry, { name: `after${index}` })),
  ];
  for (const outcome of await Promise.allSettled(waiting)) {
    assert.equal(outcome.status, 'rejected');
    assert.ok(isError('UNAVAILABLE')(outcome.reason));
  }
  await assert.rejects(database.check(), isError('UNAVAILABLE'));
  await assert.rejects(database.write(given.addRegistry, { name: 'later' }), isError('UNAVAILABLE'));
  const rows = await database.read.selectFrom('registries').select('name').execute();
  assert.deepEqual(rows, [{ name: 'before' }]);
});

test('a queue that is full refuses at once, and takes more when it has drained', async (t) => {
  const database = await open(t, { maxPending: 3, maxPendingBytes: 1_000_000 });
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => database.write(given.addRegistry, { name })));
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
  await database.write(given.addRegistry, { name: 'd' });
});

test('a queue is bounded by bytes as well, but takes a single large input', async (t) => {
  const database = await open(t, { maxPending: 100, maxPendingBytes: 10_000 });
  const registryId = await database.write(given.addRegistry, { name: 'r' });
  const large = database.write(given.addKey, { registryId, wrapped: new Uint8Array(20_000) });
  await assert.rejects(database.write(given.addRegistry, { name: 'small' }), isError('UNAVAILABLE'));
  await large;
});

test('a full disk fails the whole batch with STORAGE_FULL, keeps what was acknowledged, and passes', async (t) => {
  const database = await open(t);
  const registryId = await database.write(given.addRegistry, { name: 'r' });
  const [{ page_count: pages } = { page_count: 0 }] = (
    await sql<{ page_count: number }>`pragma page_count`.execute(database.read)
  ).rows;
  await database.write(given.limitPages, { pages: pages + 20 });
  const fills = Array.from({ length: 100 }, (_, index) =>
    database.write(given.addNames, { registryId, names: [`${index}`.padEnd(3_000, 'x')] }),
  );
  const outcomes = await Promise.allSettled(fills);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.ok(failures.length > 0);
  for (const failure of failures) assert.ok(isError('STORAGE_FULL')(failure.reason), String(failure.reason));
  const { count } = await database.read
    .selectFrom('repositories')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  assert.equal(count, outcomes.length - failures.length);
  await database.check();

  await database.write(given.limitPages, { pages: 1_000_000 });
  await database.write(given.addNames, { registryId, names: ['y'.repeat(200_000)] });
});

test('a transaction that is missing in the list says where to add it', async (t) => {
  const database = await open(t);
  const unlisted = defineTransaction('test.unlisted', async () => 1);
  await assert.rejects(database.write(unlisted, {}), /"test\.unlisted" is missing in transactions\.ts/);
});

test('what cannot travel between threads fails alone', async (t) => {
  const database = await open(t);
  const good = database.write(given.addRegistry, { name: 'good' });
  const badInput = database.write(given.addRegistry, { name: trusted<string>(() => 'no') });
  const badResult = database.write(given.returnFunction, {});
  await assert.rejects(badInput, /cannot travel/);
  await assert.rejects(badResult, /could not be cloned/);
  assert.equal(typeof (await good), 'number');
});

test('closing waits for what was asked before, and refuses what is asked after', async (t) => {
  const database = await open(t);
  const writes = Array.from({ length: 200 }, (_, index) => database.write(given.addRegistry, { name: `r${index}` }));
  const closed = database.close();
  await assert.rejects(database.write(given.addRegistry, { name: 'late' }), isError('UNAVAILABLE'));
  await Promise.all(writes);
  await closed;
  await database.close();
});

test('a module without transactions makes the database unhealthy and refuses writes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-db-'));
  const options = { file: join(folder, 'berth.db'), transactionsModule: new URL('../tables.ts', import.meta.url), now: 0 };
  const database = await openSqlite(options);
  t.after(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  const write = database.write(given.addRegistry, { name: 'x' });
  await assert.rejects(database.check(), /exports no list named "transactions"/);
  await assert.rejects(write, isError('UNAVAILABLE'));
});
