import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import type { Database } from '../database/index.ts';
import { claimCandidates, countCandidates } from './claim.ts';
import { type CollectorOptions, createCollector } from './collector.ts';
import type { GarbageHandler } from './handler.ts';
import * as given from './test-transactions.ts';

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);

interface Bench {
  readonly database: Database;
  readonly clock: { time: number; now(): number };
  readonly logged: string[];
  readonly options: (handlers: readonly GarbageHandler[]) => CollectorOptions;
  readonly names: () => Promise<string[]>;
  readonly candidates: () => Promise<unknown[]>;
}

async function setUp(engine: TestEngine, t: TestContext): Promise<Bench> {
  const database = await engine.open(t, { transactionsModule });
  const clock = { time: 1_000, now: () => clock.time };
  const logged: string[] = [];
  const log = { error: (_: object, message: string) => logged.push(message) };
  return {
    database,
    clock,
    logged,
    options: (handlers) => ({ database, handlers, clock, log, batchSize: 8, retryMs: 1_000, retryMaxMs: 4_000 }),
    names: async () =>
      (await database.read.selectFrom('registries').select('name').orderBy('name').execute()).map((row) => row.name),
    candidates: () => database.read.selectFrom('garbage').select(['subject', 'due_at', 'attempts']).orderBy('subject').execute(),
  };
}

const signal = new AbortController().signal;
const things: GarbageHandler = { kind: 'blob', transaction: given.collectThing };

forEachEngine((engine) => {
  test('what is due goes, what is used or not due stays', async (t) => {
    const { database, options, names, candidates } = await setUp(engine, t);
    for (let index = 0; index < 30; index += 1) {
      const name = `t${String(index).padStart(2, '0')}`;
      await database.write(given.addThing, { name, isUsed: index % 3 === 0 });
      await database.write(given.add, { kind: 'blob', subject: name, dueAt: index < 20 ? 1_000 : 1_001 });
    }
    assert.deepEqual(await countCandidates(database.read, 1_000), { due: 20, oldestDueAt: 1_000 });
    const summary = await createCollector(options([things])).runDue(signal);
    assert.deepEqual(summary, { collected: 20, postponed: 0, failed: 0 });
    assert.equal((await names()).length, 30 - 13);
    assert.equal((await candidates()).length, 10);
    assert.deepEqual(await countCandidates(database.read, 1_000), { due: 0, oldestDueAt: null });
  });

  test('asking again only moves the time later', async (t) => {
    const { database, candidates } = await setUp(engine, t);
    for (const dueAt of [500, 900, 700]) await database.write(given.add, { kind: 'blob', subject: 'x', dueAt });
    assert.deepEqual(await candidates(), [{ subject: 'x', due_at: 900, attempts: 0 }]);
  });

  test('a use that is made while a claim is held is never overlooked', async (t) => {
    const { database, options, candidates, names } = await setUp(engine, t);
    await database.write(given.addThing, { name: 'x', isUsed: false });
    await database.write(given.add, { kind: 'blob', subject: 'x', dueAt: 0 });
    const claim = { kinds: ['blob' as const], limit: 8, now: 1_000, retryMs: 1_000, retryMaxMs: 4_000 };
    const [claimed] = await database.write(claimCandidates, claim);
    assert.ok(claimed !== undefined);
    await database.write(given.add, { kind: 'blob', subject: 'x', dueAt: 50_000 });
    const input = { candidateId: claimed.id, claimedUntil: claimed.claimedUntil, subject: 'x', now: 1_000, isErased: false };
    assert.equal(await database.write(given.collectThing, input), 'moved');
    assert.deepEqual(await names(), ['x']);
    assert.deepEqual(await candidates(), [{ subject: 'x', due_at: 50_000, attempts: 0 }]);
    assert.deepEqual(await createCollector(options([things])).runDue(signal), { collected: 0, postponed: 0, failed: 0 });
  });

  test('a subject that fails is logged, comes back ever more slowly, and holds nobody up', async (t) => {
    const { database, clock, logged, options, names } = await setUp(engine, t);
    await database.write(given.addThing, { name: 'plain', isUsed: false });
    for (const subject of ['cursed', 'plain']) await database.write(given.add, { kind: 'blob', subject, dueAt: 0 });
    const collector = createCollector(options([things]));
    assert.deepEqual(await collector.runDue(signal), { collected: 1, postponed: 0, failed: 1 });
    assert.deepEqual(await names(), []);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const row = await database.read.selectFrom('garbage').select('due_at').executeTakeFirstOrThrow();
      waits.push(row.due_at - clock.time);
      assert.deepEqual(await collector.runDue(signal), { collected: 0, postponed: 0, failed: 0 });
      clock.time = row.due_at;
      assert.equal((await collector.runDue(signal)).failed, 1);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 4_000]);
    assert.equal(logged.length, 5);
  });

  test('large subjects go in steps, and early ones wait for their time', async (t) => {
    const { database, clock, options, candidates } = await setUp(engine, t);
    await database.write(given.addThing, { name: 'large', isUsed: false });
    for (const subject of ['large', 'later', 'hasty']) await database.write(given.add, { kind: 'repository', subject, dueAt: 0 });
    const collector = createCollector(options([{ kind: 'repository', transaction: given.collectSlowly }]));
    assert.deepEqual(await collector.runDue(signal), { collected: 1, postponed: 4, failed: 0 });
    const thing = await database.read.selectFrom('registries').select('created_at').executeTakeFirstOrThrow();
    assert.equal(thing.created_at, 3);
    const soon = { subject: 'hasty', due_at: clock.time + 1_000, attempts: 0 };
    assert.deepEqual(await candidates(), [soon, { subject: 'later', due_at: 10_000, attempts: 0 }]);
  });

  test('a row goes only after what it names is erased, whatever fails between', async (t) => {
    const { database, clock, logged, options, names } = await setUp(engine, t);
    for (const name of ['p1', 'p2', 'p3']) {
      await database.write(given.addThing, { name, isUsed: false });
      await database.write(given.add, { kind: 'part', subject: name, dueAt: 0 });
    }
    const erased: string[] = [];
    let isBroken = true;
    const erase = async (subjects: readonly string[]): Promise<readonly string[]> => {
      if (isBroken) throw new Error('the store does not answer');
      const some = subjects.filter((subject) => subject !== 'p3');
      erased.push(...some);
      return some;
    };
    const collector = createCollector(options([{ kind: 'part', transaction: given.collectErased, erase }]));
    assert.deepEqual(await collector.runDue(signal), { collected: 0, postponed: 0, failed: 3 });
    assert.deepEqual(await names(), ['p1', 'p2', 'p3']);
    assert.equal(logged.length, 1);
    isBroken = false;
    clock.time += 1_000;
    assert.deepEqual(await collector.runDue(signal), { collected: 2, postponed: 1, failed: 0 });
    assert.deepEqual(await names(), ['p3']);
    assert.deepEqual(erased.toSorted(), ['p1', 'p2']);
  });

  test('collectors of several processes share the work', async (t) => {
    const { database, options, names } = await setUp(engine, t);
    const subjects = Array.from({ length: 40 }, (_, index) => `t${index}`);
    await Promise.all(subjects.map((name) => database.write(given.addThing, { name, isUsed: false })));
    await Promise.all(subjects.map((subject) => database.write(given.add, { kind: 'blob', subject, dueAt: 0 })));
    const collectors = [1, 2, 3].map(() => createCollector(options([things])));
    const summaries = await Promise.all(collectors.map((collector) => collector.runDue(signal)));
    assert.equal(
      summaries.reduce((sum, summary) => sum + summary.collected, 0),
      40,
    );
    assert.deepEqual(await names(), []);
  });

  test('the loop runs until it is told to stop', async (t) => {
    const { database, options, names } = await setUp(engine, t);
    await database.write(given.addThing, { name: 'x', isUsed: false });
    await database.write(given.add, { kind: 'blob', subject: 'x', dueAt: 0 });
    const stop = new AbortController();
    const running = createCollector(options([things])).run(1, stop.signal);
    while ((await names()).length > 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await running;
  });
});

test('two handlers of one kind are a mistake', () => {
  const clock = { now: () => 0 };
  const database: Database = {
    engine: 'sqlite',
    get read(): never {
      throw new Error('unused');
    },
    write: () => Promise.reject(new Error('unused')),
    check: async () => {},
    close: async () => {},
  };
  const log = { error: () => {} };
  assert.throws(() => createCollector({ database, handlers: [things, things], clock, log }), /two handlers/);
});
