import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from './semaphore.ts';

test('admits up to its capacity, then in order', async () => {
  const semaphore = new Semaphore(10);
  await semaphore.acquire(7);
  const admitted: string[] = [];
  const large = semaphore.acquire(8).then(() => admitted.push('large'));
  const small = semaphore.acquire(1).then(() => admitted.push('small'));
  // There is room for the small one, but it came later.
  assert.equal(semaphore.tryAcquire(1), false);
  semaphore.release(7);
  await Promise.all([large, small]);
  assert.deepEqual(admitted, ['large', 'small']);
  semaphore.release(8);
  semaphore.release(1);
  assert.equal(semaphore.tryAcquire(10), true);
});

test('what is heavier than the capacity takes all of it', async () => {
  const semaphore = new Semaphore(10);
  await semaphore.acquire(1_000);
  assert.equal(semaphore.tryAcquire(), false);
  semaphore.release(1_000);
  assert.equal(semaphore.tryAcquire(10), true);
});

test('who gives up leaves the line, and those behind move on', async () => {
  const semaphore = new Semaphore(10);
  await semaphore.acquire(5);
  const controller = new AbortController();
  const first = semaphore.acquire(10, controller.signal);
  const second = semaphore.acquire(5);
  controller.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  await second;
  await assert.rejects(semaphore.acquire(1, controller.signal), /enough/);
  semaphore.release(5);
  semaphore.release(5);
  const signal = new AbortController().signal;
  await semaphore.acquire(10, signal);
  const next = semaphore.acquire(1, signal);
  semaphore.release(10);
  await next;
  semaphore.release(1);
  assert.equal(semaphore.tryAcquire(10), true);
});
