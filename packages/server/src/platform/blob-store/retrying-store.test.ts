import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newName, put, readWhole } from './blob-store.contract.ts';
import { PartMissingError, StoreTransientError } from './blob-store.ts';
import { InjectedError, faultyStore } from './faulty-store.ts';
import { openMemoryStore } from './memory-store.ts';
import { retryingStore } from './retrying-store.ts';

test('waits grow to a bound, a random part of each; then the error is the answer', async () => {
  const waits: number[] = [];
  const store = retryingStore(faultyStore(openMemoryStore(), { transient: 1 }, 1), {
    attempts: 6,
    firstWaitMs: 100,
    maxWaitMs: 500,
    random: () => 0.5,
    wait: async (ms) => void waits.push(ms),
  });
  await assert.rejects(store.open(newName()), StoreTransientError);
  assert.deepEqual(waits, [50, 100, 200, 250, 250]);
});

test('what is not transient is not repeated', async () => {
  const waits: number[] = [];
  const store = retryingStore(faultyStore(openMemoryStore(), { failedDelete: 1 }, 1), {
    wait: async (ms) => void waits.push(ms),
  });
  await assert.rejects(store.open(newName()), PartMissingError);
  await assert.rejects(store.deleteMany([newName()]), InjectedError);
  assert.deepEqual(waits, []);
});

test('a transient failure heals without anybody noticing', async () => {
  const faults = { transient: 0 };
  const store = retryingStore(faultyStore(openMemoryStore(), faults, 1), {
    wait: async () => {
      faults.transient = 0;
    },
  });
  const part = await put(store, Buffer.from('x'));
  const reader = await store.open(part);
  faults.transient = 1;
  assert.equal(await reader.read(0, Buffer.alloc(1)), 1);
  await reader.close();
  faults.transient = 1;
  assert.equal((await readWhole(store, part)).toString(), 'x');
  faults.transient = 1;
  await store.deleteMany([part]);
  await store.check();
  await store.close();
});

test('who gives up does not wait on', async () => {
  const store = retryingStore(faultyStore(openMemoryStore(), { transient: 1 }, 1), {
    firstWaitMs: 3_600_000,
    maxWaitMs: 3_600_000,
    random: () => 1,
  });
  const controller = new AbortController();
  const opening = store.open(newName(), controller.signal);
  setImmediate(() => controller.abort());
  await assert.rejects(opening, { name: 'AbortError' });
});
