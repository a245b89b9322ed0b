import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

function linesOf(chunks: readonly Buffer[]): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

test('lines end with a line feed, a carriage return, or both; the last may have no end', () => {
  assert.deepEqual(linesOf([Buffer.from('a\r\nb\n\nc 10%\rc 20%\rd')]), ['a', 'b', '', 'c 10%', 'c 20%', 'd']);
});

test('lines are the same however the bytes arrive', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '\r', '\n', '€') }), fc.nat(20), (text, at) => {
      const bytes = Buffer.from(text);
      const cut = Math.min(at, bytes.length);
      assert.deepEqual(linesOf([bytes.subarray(0, cut), bytes.subarray(cut)]), linesOf([bytes]));
    }),
  );
});

test('attack 34: a line without an end is handed on in pieces', () => {
  const lines = linesOf([Buffer.alloc(100_000, 'x')]);
  assert.equal(lines.join('').length, 100_000);
  assert.ok(lines.every((line) => line.length <= 16 * 1024));
});
