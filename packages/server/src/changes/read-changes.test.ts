import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { pruneLog } from './prune-log.ts';
import { readLog } from './read-changes.ts';
import { dayMs, namesOf, openTestLog } from './test-log.ts';
import { insertRow, rewind } from './test-transactions.ts';

const isUnknown = { error: 'CURSOR_UNKNOWN' };

forEachEngine((engine) => {
  test('a log is read page by page, with what is behind, to its end and on from there', async (t) => {
    const log = await openTestLog(engine, t);
    const start = await log.cursor();
    await log.write(5);
    const first = await log.read(start, { limit: 2 });
    assert.deepEqual([namesOf(first), first.behind], [['v0', 'v1'], 3]);
    const second = await log.read(first.next, { limit: 10 });
    assert.deepEqual([namesOf(second), second.behind], [['v2', 'v3', 'v4'], 0]);
    assert.deepEqual(await log.read(second.next), { changes: [], next: second.next, behind: 0 });
    await log.write(1, 'w');
    assert.deepEqual(namesOf(await log.read(second.next)), ['w0']);
    assert.equal((await log.read(second.next)).next, await log.cursor());
  });

  test('an empty log has a cursor, too, until something of it was forgotten', async (t) => {
    const log = await openTestLog(engine, t);
    const start = await log.cursor();
    assert.deepEqual(await log.read(start), { changes: [], next: start, behind: 0 });
    await log.write(3);
    assert.deepEqual(namesOf(await log.read(start)), ['v0', 'v1', 'v2']);
    const limits = { before: log.clock.now() + 1, beforeAtLast: 0 };
    await log.database.write(pruneLog, { registryId: log.registryId, engine: log.database.engine, ...limits });
    await assert.rejects(log.read(start), isUnknown);
  });

  test('what came from the region that asks is left out, and passed over', async (t) => {
    const log = await openTestLog(engine, t);
    const start = await log.cursor();
    const row = { registryId: log.registryId, origin: 'west', at: log.clock.now() };
    for (let clock = 1; clock <= 7; clock += 1) await log.database.write(insertRow, { ...row, clock });
    await log.write(1);
    assert.deepEqual(namesOf(await log.read(start, { except: 'west', limit: 2 })), ['v0']);
    const none = await log.read(start, { except: 'local' });
    assert.equal(none.changes.length, 7);
    const end = await log.read(start, { except: 'local', limit: 7 });
    assert.deepEqual((await log.read(end.next, { except: 'local' })).changes, []);
  });

  test('a cursor of a log that was rewound is not taken for one of the log that there is', async (t) => {
    const log = await openTestLog(engine, t);
    await log.write(3);
    const [first] = (await log.read(`0.0.${log.clock.now()}`)).changes;
    const cursor = await log.cursor();
    const sequence = Number(cursor.split('.')[0]);
    await log.database.write(rewind, { registryId: log.registryId, after: first?.sequence ?? 0 });
    await assert.rejects(log.read(cursor), isUnknown);
    // The backup gives the same sequence out again.
    const row = { registryId: log.registryId, sequence, clock: 5, origin: 'local', at: log.clock.now() };
    await log.database.write(insertRow, row);
    await assert.rejects(log.read(cursor), isUnknown);
  });

  test('what is no cursor is unknown, and of another registry, too', async (t) => {
    const [log, other] = [await openTestLog(engine, t), await openTestLog(engine, t)];
    await log.write(1);
    await other.write(1);
    for (const text of ['', 'x', '1', '1.2', '-1.2.3', '1.2.3.4', '99999999999999999.1.1', '1e3.1.1'])
      await assert.rejects(log.read(text), isUnknown);
    if (log.database !== other.database) return;
    await assert.rejects(log.read(await other.cursor()), isUnknown);
  });

  test('a cursor that the log does not have, from before deletions are forgotten, is too old', async (t) => {
    const log = await openTestLog(engine, t);
    await log.write(1);
    const cursor = await log.cursor();
    log.clock.time += 40 * dayMs;
    // Nothing happened since: it is as good as ever.
    assert.deepEqual((await log.read(cursor)).changes, []);
    await log.write(1, 'w');
    const limits = { before: log.clock.now() - dayMs, beforeAtLast: 0 };
    await log.database.write(pruneLog, { registryId: log.registryId, engine: log.database.engine, ...limits });
    await assert.rejects(log.read(cursor), { error: 'REPLICA_TOO_OLD' });
  });

  test('an old fact that was relayed lately does not make a cursor old', async (t) => {
    const log = await openTestLog(engine, t);
    await log.database.write(insertRow, { registryId: log.registryId, clock: 1, origin: 'west', at: log.clock.now() });
    const cursor = await log.cursor();
    await log.database.write(rewind, { registryId: log.registryId, after: 0 });
    await assert.rejects(log.read(cursor), isUnknown);
  });

  test('who keeps sequences reads the same', async (t) => {
    const log = await openTestLog(engine, t);
    await log.write(4);
    const { database, registryId } = log;
    await log.cursor();
    const first = await readLog(database, { registryId, after: 0, limit: 3 });
    assert.deepEqual(
      first.entries.map(({ fact, at }) => [fact.name, at]),
      ['v0', 'v1', 'v2'].map((name) => [name, log.clock.now()]),
    );
    const second = await readLog(database, { registryId, after: first.next, limit: 3 });
    assert.deepEqual(
      second.entries.map(({ fact }) => fact.name),
      ['v3'],
    );
    assert.deepEqual(await readLog(database, { registryId, after: second.next, limit: 3 }), { entries: [], next: second.next });
  });
});
