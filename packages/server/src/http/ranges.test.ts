import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseContentRange, parseRange } from './ranges.ts';

const size = fc.nat({ max: 2 ** 40 });

test('a range is served exactly as RFC 9110 reads it', () => {
  fc.assert(
    fc.property(size, fc.nat({ max: 2 ** 41 }), fc.nat({ max: 2 ** 41 }), (sizeBytes, first, last) => {
      const range = parseRange(`bytes=${first}-${last}`, sizeBytes);
      if (first >= sizeBytes || last < first) assert.equal(range, 'unsatisfiable');
      else assert.deepEqual(range, { start: first, end: Math.min(last + 1, sizeBytes) });
    }),
  );
  fc.assert(
    fc.property(size, fc.nat({ max: 2 ** 41 }), (sizeBytes, length) => {
      const range = parseRange(`bytes=-${length}`, sizeBytes);
      if (length === 0 || sizeBytes === 0) assert.equal(range, 'unsatisfiable');
      else assert.deepEqual(range, { start: Math.max(0, sizeBytes - length), end: sizeBytes });
    }),
  );
});

test('attack 10: several ranges, other units and nonsense are answered with the whole, never with more', () => {
  for (const header of [
    'bytes=0-1,2-3',
    'bytes=0-,0-,0-',
    'bytes=0-0, 1-1',
    'items=0-1',
    'bytes=-',
    'bytes=a-b',
    'bytes = 0-1',
    '0-1',
    '',
    'bytes=1--1',
    'bytes=+1-2',
  ]) {
    assert.equal(parseRange(header, 100), undefined, header);
  }
  assert.equal(parseRange(undefined, 100), undefined);
  assert.equal(parseRange('bytes=-0', 100), 'unsatisfiable');
  assert.deepEqual(parseRange('bytes=-500', 100), { start: 0, end: 100 });
  assert.deepEqual(parseRange('bytes=0-99999999999999999999', 100), { start: 0, end: 100 });
  assert.equal(parseRange('bytes=99999999999999999999-', 100), 'unsatisfiable');
});

test('whatever a range says, what is served lies within the content', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,20}-\d{0,20}$/)), size, (header, sizeBytes) => {
      const range = parseRange(header, sizeBytes);
      if (typeof range !== 'object') return;
      assert.ok(range.start >= 0 && range.start < range.end && range.end <= sizeBytes);
    }),
  );
});

test('attack 9: a chunk names its place as OCI or as RFC 9110 does, and nothing else', () => {
  assert.deepEqual(parseContentRange('0-9'), { start: 0, end: 10 });
  assert.deepEqual(parseContentRange('bytes 10-19/*'), { start: 10, end: 20 });
  assert.deepEqual(parseContentRange('bytes 10-19/100'), { start: 10, end: 20 });
  for (const header of [
    '-1',
    '5-',
    '9-0',
    '-5-9',
    '0-9-12',
    '0-9, 10-12',
    'bytes */10',
    '1e3-2e3',
    '99999999999999999-999999999999999999',
    '',
  ]) {
    assert.equal(parseContentRange(header), undefined, header);
  }
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 50 }), fc.nat({ max: 2 ** 50 }), (start, length) => {
      assert.deepEqual(parseContentRange(`${start}-${start + length}`), { start, end: start + length + 1 });
    }),
  );
});
