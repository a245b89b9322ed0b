import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseMemory } from './release-memory.ts';

test('a buffer that has its memory to itself is empty afterwards', () => {
  const bytes = Buffer.allocUnsafeSlow(64 * 1024);
  releaseMemory(bytes);
  assert.equal(bytes.length, 0);
  releaseMemory(bytes);
});

test('what others may be reading is left alone', () => {
  const whole = Buffer.alloc(64 * 1024, 'x');
  releaseMemory(whole.subarray(1));
  releaseMemory(whole.subarray(0, -1));
  assert.equal(whole.toString(), 'x'.repeat(64 * 1024));
  // Small buffers come from a pool that all of Node shares.
  const small = Buffer.from('small');
  releaseMemory(small);
  assert.equal(small.toString(), 'small');
  const shared = new Uint8Array(new SharedArrayBuffer(64 * 1024)).fill(1);
  releaseMemory(shared);
  assert.equal(shared[0], 1);
});
