import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError, asRegistryError } from '../errors/index.ts';
import { ImportRuns, type ImportRunsLimits, type ImportWork } from './import-runs.ts';

function open(limits: Partial<ImportRunsLimits> = {}) {
  const clock = { time: 1_000_000, now: () => clock.time };
  const runs = new ImportRuns({ clock, explain: asRegistryError, limits });
  const start = (key: string, work: ImportWork) => runs.start({ registryId: 1, key, work });
  return { clock, runs, start };
}

const untilStopped: ImportWork = (_, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

test('the same import is joined while it runs, and begun anew afterwards', async () => {
  const { runs, start } = open();
  const { promise, resolve } = Promise.withResolvers<void>();
  let works = 0;
  const work: ImportWork = async (progress) => {
    works += 1;
    progress.bytesDone = 5;
    await promise;
  };
  const first = start('a', work);
  assert.equal(start('a', work), first);
  assert.equal(first.status, 'running');
  assert.equal(runs.find(first.id)?.progress.bytesDone, 5);
  resolve();
  await first.ended;
  assert.equal(first.status, 'succeeded');
  const second = start('a', work);
  assert.notEqual(second.id, first.id);
  await second.ended;
  assert.equal(works, 2);
});

test('a failed run says why, and is remembered for a while', async () => {
  const { clock, runs, start } = open({ rememberedMs: 1000 });
  const run = start('a', () => Promise.reject(new RegistryError('CONFLICT', { message: 'taken' })));
  await run.ended;
  assert.equal(run.status, 'failed');
  assert.equal(run.error?.message, 'taken');
  clock.time += 1000;
  assert.equal(runs.find(run.id), run);
  clock.time += 1;
  assert.equal(runs.find(run.id), undefined);
});

test('ended runs are remembered up to a number, the youngest', async () => {
  const { runs, start } = open({ maxEnded: 2 });
  const ended = [];
  for (const key of ['a', 'b', 'c']) {
    const run = start(key, async () => undefined);
    await run.ended;
    ended.push(run.id);
  }
  assert.deepEqual(
    ended.map((id) => runs.find(id) !== undefined),
    [false, true, true],
  );
});

test('a few run, others wait for their turn, more are refused', async () => {
  const { runs, start } = open({ atOnce: 1, maxWaiting: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const order: string[] = [];
  const first = start('a', () => promise.then(() => void order.push('a')));
  const second = start('b', async () => void order.push('b'));
  assert.throws(() => start('c', async () => undefined), { error: 'TOOMANYREQUESTS' });
  assert.deepEqual(order, []);
  resolve();
  await Promise.all([first.ended, second.ended]);
  assert.deepEqual(order, ['a', 'b']);
  const third = start('c', async () => undefined);
  await third.ended;
  assert.equal(runs.find(third.id)?.status, 'succeeded');
});

test('a stop ends runs at work and those that wait', async () => {
  const { runs, start } = open({ atOnce: 1 });
  const begun = [start('a', untilStopped), start('b', untilStopped)];
  await runs.stop();
  for (const run of begun) assert.equal(run.error?.error, 'UNAVAILABLE');
  assert.throws(() => start('c', untilStopped), { error: 'UNAVAILABLE' });
});

test('a run has an end', async () => {
  const { start } = open({ maxRunMs: 5 });
  const run = start('a', untilStopped);
  await run.ended;
  assert.equal(run.error?.error, 'UPSTREAM_FAILED');
});
