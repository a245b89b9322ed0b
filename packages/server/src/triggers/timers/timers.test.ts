import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { reconcile } from '../reconcile.ts';
import { type TestTriggers, openTestTriggers } from '../test-triggers.ts';
import { timersOf } from './queries.ts';
import { takeDueTimer } from './transactions.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

forEachEngine((engine) => {
  test('a timer runs its task when its time has come, once, in its zone', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    await triggers.put('nightly', timer({ schedule: '30 9 * * *', timeZone: 'Europe/Paris' }));
    const next = Date.parse('2030-01-01T08:30:00Z');
    assert.equal(await nextAt(triggers, 'nightly'), next);
    await triggers.tick();
    assert.deepEqual(await triggers.runs('nightly'), [], 'its time has not come');
    clock.time = next + 900;
    await Promise.all([triggers.tick(), triggers.tick()]);
    const [run, ...others] = await triggers.runs('nightly');
    assert.equal(others.length, 0);
    assert.deepEqual(run?.trigger, { kind: 'timer', name: 'often', scheduleOccurrence: '2030-01-01T08:30:00.000Z' });
    assert.deepEqual([run?.runType, run?.requestedBy], ['AutoBuild', 'trigger']);
    assert.deepEqual(await triggers.reasons('nightly'), ['its time has come']);
    assert.equal(await nextAt(triggers, 'nightly'), Date.parse('2030-01-02T08:30:00Z'));
    await triggers.tick();
    assert.equal((await triggers.runs('nightly')).length, 1);
  });

  test('what was missed is said once, and made up for once where that is wanted', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    await triggers.put('missing', timer({}));
    await triggers.put('made-up', timer({ catchUp: true }));
    clock.time += 5 * hourMs + 10 * minuteMs;
    await triggers.tick();
    assert.deepEqual(await triggers.runs('missing'), []);
    assert.deepEqual(await triggers.reasons('missing'), [
      'missed 5 times, from 2030-01-01T01:00:00.000Z to 2030-01-01T05:00:00.000Z, while no server ran; catch-up is off',
    ]);
    const [run, ...others] = await triggers.runs('made-up');
    assert.equal(others.length, 0);
    assert.deepEqual(run?.trigger, { kind: 'timer', name: 'often', scheduleOccurrence: '2030-01-01T05:00:00.000Z' });
    assert.deepEqual(await triggers.reasons('made-up'), ['it makes up for what was missed']);
    assert.equal(await nextAt(triggers, 'missing'), Date.parse('2030-01-01T06:00:00Z'));
  });

  test('a run that goes on is not overtaken where that is said, and is where nothing is said', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    await triggers.put('alone', timer({ overlap: 'skip' }));
    await triggers.put('together', timer({}));
    for (let hour = 0; hour < 2; hour += 1) {
      clock.time += hourMs;
      await triggers.tick();
    }
    assert.equal((await triggers.runs('together')).length, 2);
    const [run, ...others] = await triggers.runs('alone');
    assert.ok(run !== undefined && others.length === 0);
    assert.deepEqual(await triggers.reasons('alone'), [
      `skipped: the run ${run.id} of this timer goes on still`,
      'its time has come',
    ]);
    await triggers.finish(run, []);
    clock.time += hourMs;
    await triggers.tick();
    assert.equal((await triggers.runs('alone')).length, 2);
  });

  test('rows follow the task: what is disabled, changed or gone', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock } = triggers;
    await triggers.put('changing', timer({}));
    const first = await nextAt(triggers, 'changing');
    clock.time += 10 * minuteMs;
    await reconcile(triggers.context);
    assert.equal(await nextAt(triggers, 'changing'), first, 'it keeps its time');
    await triggers.put('changing', timer({ status: 'Disabled' }));
    assert.equal(await nextAt(triggers, 'changing'), null);
    await triggers.put('changing', timer({ schedule: '*/5 * * * *' }));
    assert.equal(await nextAt(triggers, 'changing'), clock.time + 5 * minuteMs);
    await triggers.put('changing', timer({}), { status: 'Disabled' });
    assert.equal(await nextAt(triggers, 'changing'), null);
    await triggers.drop('changing');
    assert.deepEqual(await timersOf(triggers.context.database.read, placeOf(triggers, 'changing')), []);
  });

  test('a process that died holds a timer for a minute, and its run is not doubled', async (t) => {
    const triggers = await openTestTriggers(engine, t);
    const { clock, context } = triggers;
    await triggers.put('held', timer({}));
    clock.time += hourMs;
    const hold = { now: clock.time, heldUntil: clock.time + minuteMs };
    assert.equal((await context.database.write(takeDueTimer, hold))?.task, 'held');
    assert.equal(await context.database.write(takeDueTimer, hold), undefined);
    // It had queued the run, and could not say so.
    const task = await context.tasks.find(triggers.registry.id, 'held');
    assert.ok(task !== undefined);
    const scheduleOccurrence = new Date(clock.time).toISOString();
    const trigger = { kind: 'timer', name: 'often', scheduleOccurrence } as const;
    const queued = await context.tasks.run({ registry: triggers.registry, task, requestedBy: 'trigger', trigger });
    await triggers.tick();
    assert.deepEqual(await triggers.reasons('held'), []);
    clock.time += minuteMs;
    await triggers.tick();
    assert.deepEqual(await triggers.reasons('held'), ['its time has come']);
    assert.deepEqual(
      (await triggers.runs('held')).map(({ id }) => id),
      [queued.id],
    );
  });

  test('a full queue is tried again until the tick is too old', async (t) => {
    const triggers = await openTestTriggers(engine, t, { maxQueued: 1 });
    const { clock } = triggers;
    await triggers.put('full', timer({}));
    const blocking = await triggers.run('full');
    clock.time += hourMs;
    await triggers.tick();
    clock.time += 20_000;
    await triggers.tick();
    const [reason, ...others] = await triggers.reasons('full');
    assert.match(reason ?? '', /its time has come, but no run could be queued: 1 runs wait/);
    assert.equal(others.length, 0, 'the same refusal counts');
    await triggers.finish(blocking, []);
    clock.time += 20_000;
    await triggers.tick();
    const [run] = await triggers.runs('full');
    assert.deepEqual(run?.trigger, { kind: 'timer', name: 'often', scheduleOccurrence: '2030-01-01T01:00:00.000Z' });
  });
});

function timer(changes: object): object {
  return { timerTriggers: [{ name: 'often', schedule: '0 * * * *', status: 'Enabled', ...changes }] };
}

function placeOf({ registry }: TestTriggers, task: string) {
  return { registryId: registry.id, task };
}

async function nextAt(triggers: TestTriggers, task: string): Promise<number | null> {
  const [row] = await timersOf(triggers.context.database.read, placeOf(triggers, task));
  assert.ok(row !== undefined);
  return row.next_at;
}
