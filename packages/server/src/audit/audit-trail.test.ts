import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { pino } from 'pino';
import type { Database } from '../platform/database/index.ts';
import { testRegistry } from '../tenancy/test-registry.ts';
import { linesTo } from './audit-lines.ts';
import { AuditTrail } from './audit-trail.ts';
import { type AuditEvent, purgeEvent } from './model.ts';
import { type KeptEvent, pageOfEvents } from './queries.ts';
import { spreadEvents } from './test-transactions.ts';

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);
const log = pino({ enabled: false });
const registry = testRegistry({ id: 1 });
const everything = {
  registryId: registry.id,
  from: undefined,
  to: undefined,
  operation: undefined,
  repository: undefined,
  identity: undefined,
  before: undefined,
  limit: 100,
};

function eventAt(now: number): AuditEvent {
  return purgeEvent({ registry, repository: 'a', name: `t${now}`, isTag: true }, { now, region: 'local' });
}

async function eventsIn(database: Database): Promise<readonly KeptEvent[]> {
  return (await pageOfEvents(database.read, everything, new AbortController().signal)).events;
}

forEachEngine((engine) => {
  test('an event that the database refuses does not hold up those behind it', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const trail = new AuditTrail({ database, clock: { now: () => 0 }, log, retentionMs: 1000 });
    trail.record(eventAt(1));
    trail.record({ ...eventAt(2), duration_ms: Number.NaN });
    trail.record(eventAt(3));
    await trail.flush();
    const kept = await eventsIn(database);
    assert.deepEqual(
      kept.map((event) => event.tag),
      ['t3', 't1'],
    );
    assert.equal(trail.dropped, 1);
  });

  test('what is older than it is kept goes, and the rest stays', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const trail = new AuditTrail({ database, clock: { now: () => 5000 }, log, retentionMs: 1000 });
    // More than one batch of removal.
    for (let at = 3; at < 1503; at += 1) trail.record(eventAt(at));
    for (const at of [4000, 4500]) trail.record(eventAt(at));
    await trail.flush();
    await trail.expire(t.signal);
    assert.deepEqual(
      (await eventsIn(database)).map((event) => event.time),
      [4500, 4000],
    );
  });
});

forEachEngine((engine) => {
  test('a filter that fits nothing in a long trail ends its page early, and the pages together find everything', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const trail = new AuditTrail({ database, clock: { now: () => 0 }, log, retentionMs: 1000 });
    const rare = { ...eventAt(1), repository: 'rare' };
    trail.record(rare);
    trail.record({ ...rare, registry_id: 2 });
    for (let at = 0; at < 40; at += 1) trail.record(eventAt(at * 10 * 60_000));
    trail.record({ ...rare, time: 200 * 60_000, tag: 'late' });
    await trail.flush();
    await database.write(spreadEvents, { after: 2, by: 520_000 });
    const question = { ...everything, repository: 'rare' };
    const first = await pageOfEvents(database.read, question, t.signal);
    assert.deepEqual(
      first.events.map((event) => event.tag),
      ['late'],
    );
    assert.ok(first.next !== undefined, 'not the end');
    const second = await pageOfEvents(database.read, { ...question, before: first.next }, t.signal);
    assert.deepEqual([second.events.map((event) => event.tag), second.next], [['t1'], undefined]);
    const late = await pageOfEvents(database.read, { ...everything, from: 100 * 60_000, to: 200 * 60_000 }, t.signal);
    assert.deepEqual(
      late.events.map((event) => event.time / 60_000),
      [200, 200, 190, 180, 170, 160, 150, 140, 130, 120, 110, 100],
    );
    assert.equal(late.next, undefined, 'nothing older than `from` is looked at');
    await assert.rejects(pageOfEvents(database.read, question, AbortSignal.abort()), { name: 'AbortError' });
  });
});

test('while the database does not answer, pulls are left out before all else, and memory stays bounded', async () => {
  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const database = {
    write: async () => {
      held.resolve();
      await release.promise;
    },
  } as unknown as ConstructorParameters<typeof AuditTrail>[0]['database'];
  const trail = new AuditTrail({ database, clock: { now: () => 0 }, log, retentionMs: 1000 });
  const purge = eventAt(1);
  for (let at = 0; at < 15_000; at += 1) trail.record({ ...eventAt(at), operation: 'Pull' });
  assert.equal(trail.dropped, 5_000);
  for (let count = 0; count < 15_000; count += 1) trail.record(purge);
  assert.equal(trail.dropped, 10_000);
  const flushed = trail.flush();
  await held.promise;
  trail.record(purge);
  assert.equal(trail.dropped, 10_001, 'what is being written still counts');
  release.resolve();
  await flushed;
  trail.record(purge);
  assert.equal(trail.dropped, 10_001);
});

forEachEngine((engine) => {
  test('in a busy second equal pulls become one event that counts them, and nothing is left out', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const trail = new AuditTrail({ database, clock: { now: () => 0 }, log, retentionMs: 1000 });
    const pull = (at: number, tag: string): AuditEvent => ({ ...eventAt(at), operation: 'Pull', tag, correlation_id: `${at}` });
    for (let at = 0; at < 30_000; at += 1) trail.record(pull(at, at % 2 === 0 ? 'even' : 'odd'));
    trail.record(eventAt(30_000));
    await trail.flush();
    trail.record(pull(30_001, 'even'));
    await trail.flush();
    const { events } = await pageOfEvents(database.read, { ...everything, limit: 1000 }, t.signal);
    assert.equal(trail.dropped, 0);
    assert.ok(events.length < 250, `${events.length} events`);
    const counted = events.filter((event) => event.operation === 'Pull').reduce((sum, { count }) => sum + count, 0);
    assert.equal(counted, 30_001);
    // What was written does not change any more, and the last pull of a count tells its time.
    assert.deepEqual(
      events.slice(0, 3).map(({ tag, time, count }) => ({ tag, time, count })),
      [
        { tag: 'even', time: 30_001, count: 1 },
        { tag: 't30000', time: 30_000, count: 1 },
        { tag: 'odd', time: 29_999, count: 14_900 },
      ],
    );
  });
});

test('lines that nobody takes are left out and counted', async () => {
  const slow = new PassThrough();
  const lines = linesTo(slow, async () => {});
  const line = 'x'.repeat(1024 * 1024);
  for (let count = 0; count < 40; count += 1) lines.write(line);
  assert.ok(slow.writableLength < 20 * 1024 * 1024, String(slow.writableLength));
  assert.ok(lines.dropped() > 0);
  slow.resume();
  slow.destroy();
});
