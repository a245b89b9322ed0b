import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { listSchedules, removeSchedule, setSchedule, showSchedule } from './purge-schedules.ts';
import { runDuePurges } from './run-due-purges.ts';
import { takeDuePurge } from './schedule-transactions.ts';
import { dayMs, openTestRetention } from './test-retention.ts';

const hourMs = 3_600_000;

forEachEngine((engine) => {
  test('a purge by the clock runs when its time has come, once, and says what it did', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { context, catalog } = retention;
    const { id } = catalog.registry;
    await retention.pushImage('app', ['v1', 'keep']);
    await setSchedule(context, id, {
      name: 'nightly',
      schedule: '0 1 * * *',
      request: { filters: ['app:v.*'], ago: '2d', untagged: true },
    });
    const first = await showSchedule(context, id, 'nightly');
    assert.ok(first.nextAt !== null && first.nextAt > catalog.clock.time && first.nextAt <= catalog.clock.time + dayMs);
    assert.equal(first.nextAt % dayMs, hourMs);
    await runDuePurges(context, t.signal);
    assert.deepEqual(await retention.tags('app'), ['keep', 'v1'], 'its time has not come');
    // The server was away for days: it runs once.
    retention.days(10);
    await runDuePurges(context, t.signal);
    assert.deepEqual(await retention.tags('app'), ['keep']);
    const after = await showSchedule(context, id, 'nightly');
    assert.equal(after.last?.at, catalog.clock.time);
    assert.deepEqual({ tagsRemoved: 0, ...after.last?.result }.tagsRemoved, 1);
    assert.ok(after.nextAt !== null && after.nextAt > catalog.clock.time);
    await retention.pushImage('app', ['v2']);
    await runDuePurges(context, t.signal);
    assert.deepEqual(await retention.tags('app'), ['keep', 'v2']);
  });

  test('of two processes one runs it, and one that died holds it for minutes only', async (t) => {
    const retention = await openTestRetention(engine, t);
    const { context, catalog } = retention;
    const { id } = catalog.registry;
    await retention.pushImage('app', ['v1']);
    await setSchedule(context, id, { name: 'a', schedule: '* * * * *', request: { filters: ['.*:.*'], ago: '0d' } });
    retention.days(1);
    const now = catalog.clock.time;
    const hold = { now, heldUntil: now + 120_000 };
    assert.equal((await context.database.write(takeDuePurge, hold))?.name, 'a');
    assert.equal(await context.database.write(takeDuePurge, hold), undefined);
    assert.equal((await showSchedule(context, id, 'a')).isRunning, true);
    await runDuePurges(context, t.signal);
    assert.deepEqual(await retention.tags('app'), ['v1']);
    catalog.clock.time += 120_001;
    await runDuePurges(context, t.signal);
    assert.equal(await retention.has('app', 'v1'), false);
    assert.equal((await showSchedule(context, id, 'a')).isRunning, false);
  });

  test('schedules are checked when they are made, listed by name, replaced and removed', async (t) => {
    const { context, catalog } = await openTestRetention(engine, t);
    const { id } = catalog.registry;
    const request = { untaggedOnly: true };
    const refusals: readonly (readonly [change: object, words: RegExp])[] = [
      [{ schedule: '0 1 * *' }, /the schedule has 4 fields/],
      [{ schedule: '0 0 31 2 *' }, /a day that never comes/],
      [{ name: 'No' }, /is no name of a schedule/],
      [{ request: {} }, /needs a filter/],
      [{ request: { filters: ['a:('], ago: '1d' } }, /no regular expression/],
    ];
    for (const [change, words] of refusals)
      await assert.rejects(setSchedule(context, id, { name: 'x', schedule: '0 1 * * *', request, ...change }), words);
    for (const name of ['b', 'a'])
      assert.equal(await setSchedule(context, id, { name, schedule: '0 1 * * *', request }), 'created');
    assert.equal(await setSchedule(context, id, { name: 'a', schedule: '0 2 * * *', request }), 'replaced');
    const listed = await listSchedules(context, id);
    assert.deepEqual(
      listed.map(({ name, schedule }) => [name, schedule]),
      [
        ['a', '0 2 * * *'],
        ['b', '0 1 * * *'],
      ],
    );
    await removeSchedule(context, id, 'a');
    await assert.rejects(removeSchedule(context, id, 'a'), /there is no purge schedule "a"/);
    await assert.rejects(showSchedule(context, id, 'a'), /there is no purge schedule "a"/);
  });
});
