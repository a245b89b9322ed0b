import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

const { signal } = new AbortController();

test('bytes pass at the rate that is set, all together', async () => {
  const clock = { time: 0, now: () => clock.time };
  const waits: number[] = [];
  const wait = async (delayMs: number): Promise<void> => void waits.push(delayMs);
  const pace = new Pace({ bytesPerSecond: 1_000_000, clock, wait });
  assert.equal(pace.spend(1000, signal), undefined);
  await pace.spend(99_000, signal);
  await pace.spend(100_000, signal);
  assert.deepEqual(waits, [100, 200]);
  pace.owe(300_000);
  clock.time = 500;
  await pace.spend(10_000, signal);
  assert.deepEqual(waits, [100, 200, 10]);
  // What was not used does not count later.
  clock.time = 10_000;
  await pace.spend(1_000_000, signal);
  assert.equal(waits.at(-1), 1000);
  assert.equal(new Pace({ bytesPerSecond: 0, clock, wait }).spend(1e12, signal), undefined);
});

test('a rate that changes counts from then on', async () => {
  const clock = { time: 0, now: () => clock.time };
  const waits: number[] = [];
  let bytesPerSecond = 0;
  const wait = async (delayMs: number): Promise<void> => void waits.push(delayMs);
  const pace = new Pace({ bytesPerSecond: () => bytesPerSecond, clock, wait });
  assert.equal(pace.spend(1e12, signal), undefined);
  bytesPerSecond = 1000;
  await pace.spend(1000, signal);
  bytesPerSecond = 2000;
  await pace.spend(1000, signal);
  assert.deepEqual(waits, [1000, 1500]);
});
