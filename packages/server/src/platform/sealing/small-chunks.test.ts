import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SmallChunks } from './small-chunks.ts';

test('bytes come out in order and unchanged, whatever is taken afterwards', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 3_000, max: 5_000 }), fc.constant(65_536)), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(sizes, (list) => {
      const chunks = new SmallChunks();
      const out: Uint8Array[] = [];
      const expected: Buffer[] = [];
      list.forEach((size, index) => {
        const chunk = Buffer.alloc(size, index + 1);
        expected.push(chunk);
        out.push(...chunks.take(chunk));
      });
      out.push(...chunks.flush());
      assert.deepEqual(chunks.flush(), []);
      assert.ok(Buffer.concat(out).equals(Buffer.concat(expected)));
    }),
    { numRuns: 60 },
  );
});

test('a large chunk is not copied', () => {
  const large = Buffer.alloc(4_096);
  assert.equal(new SmallChunks().take(large)[0], large);
});

test('small chunks between large ones share one space', () => {
  const chunks = new SmallChunks();
  const spaces = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 256; turn += 1) {
    chunks.take(Buffer.alloc(8));
    const [gathered] = chunks.take(Buffer.alloc(4_096));
    spaces.add(gathered?.buffer ?? new ArrayBuffer(0));
  }
  assert.equal(spaces.size, 1);
});
