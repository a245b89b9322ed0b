import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newName, put } from './blob-store.contract.ts';
import { limitedStore } from './limited-store.ts';
import { openMemoryStore } from './memory-store.ts';

test('at most so many calls run at once, and the others come to their turn', async () => {
  const memory = openMemoryStore();
  let running = 0;
  let most = 0;
  const pending: (() => void)[] = [];
  const slow = {
    ...memory,
    deleteMany: async (names: readonly string[]) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => pending.push(resolve));
      running -= 1;
      await memory.deleteMany(names);
    },
  };
  const store = limitedStore(slow, 3);
  const deletions = Promise.all(Array.from({ length: 10 }, () => store.deleteMany([newName()])));
  for (let ended = 0; ended < 10; ended += 1) {
    while (pending.length === 0) await new Promise(setImmediate);
    assert.ok(pending.length <= 3);
    pending.shift()?.();
  }
  await deletions;
  assert.equal(most, 3);
});

test('a call that fails makes room for the next', async () => {
  const store = limitedStore(openMemoryStore(), 1);
  await assert.rejects(store.open(newName()));
  await put(store, Buffer.from('x'));
  await store.check();
  await store.close();
});

test('who gives up leaves the line', async () => {
  const memory = openMemoryStore();
  let release: () => void = () => undefined;
  const store = limitedStore({ ...memory, deleteMany: () => new Promise<void>((resolve) => (release = resolve)) }, 1);
  const deletion = store.deleteMany([newName()]);
  const controller = new AbortController();
  const opening = store.open(newName(), controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(opening, /enough/);
  release();
  await deletion;
});
