import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  PartSealer,
  SealBrokenError,
  headerBytes,
  openBytes,
  partGeometry,
  plainCapacity,
  plainStart,
  sealBytes,
  sealedSize,
  sealedStart,
  segmentAt,
  segmentCount,
  tagBytes,
} from './index.ts';

const geometry = { segmentBytes: 128 };
const key = { id: 'k', registryId: 1, material: randomBytes(32) };
const perSegment = geometry.segmentBytes - tagBytes;

/** Lengths around the ends of the first segments, and any other. */
const lengths = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -2, max: 2 }))
    .map(([count, step]) => Math.max(0, plainStart(geometry, count) + step)),
);
const plains = lengths.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));

function seal(plain: Uint8Array, associatedData = 'name'): Buffer {
  return sealBytes(key, associatedData, plain, geometry);
}

function open(sealed: Uint8Array, associatedData = 'name'): Buffer {
  return openBytes(key, associatedData, sealed, geometry);
}

function segmentsOf(sealed: Buffer): Buffer[] {
  const segments: Buffer[] = [];
  for (let start = 0; start < sealed.length; start += geometry.segmentBytes)
    segments.push(sealed.subarray(start, start + geometry.segmentBytes));
  return segments;
}

test('what was sealed opens, and has the size that was foretold', () => {
  fc.assert(
    fc.property(plains, (plain) => {
      const sealed = seal(plain);
      assert.equal(sealed.length, sealedSize(geometry, plain.length));
      assert.deepEqual(open(sealed), Buffer.from(plain));
    }),
  );
});

test('segments of the size that parts have', () => {
  const plain = randomBytes(plainStart(partGeometry, 2) + 1);
  const sealed = sealBytes(key, 'name', plain);
  assert.equal(sealed.length, sealedSize(partGeometry, plain.length));
  assert.ok(openBytes(key, 'name', sealed).equals(plain));
});

test('any way of cutting a stream, of any expected length, gives a part that opens', () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 });
  const expectations = fc.option(fc.integer({ min: 0, max: 700 }), { nil: undefined });
  fc.assert(
    fc.property(plains, cuts, fc.oneof(fc.constant('exact' as const), expectations), (plain, pieces, expectation) => {
      const expectedBytes = expectation === 'exact' ? plain.length : expectation;
      const sealer = new PartSealer({
        material: key.material,
        associatedData: 'name',
        geometry,
        ...(expectedBytes !== undefined && { expectedBytes }),
      });
      const sealed: Uint8Array[] = [];
      let position = 0;
      for (const piece of [...pieces, plain.length]) {
        sealed.push(...sealer.take(plain.subarray(position, position + piece)));
        position = Math.min(plain.length, position + piece);
        assert.equal(sealer.sizeBytes, position);
      }
      sealed.push(...sealer.end());
      assert.deepEqual(open(Buffer.concat(sealed)), Buffer.from(plain));
    }),
  );
});

test('chunks of any size around the bound of small ones, in segments of a MiB', () => {
  const plain = randomBytes(plainCapacity(partGeometry, 0) + 100_000);
  const sizes = [1, 4_095, 4_096, 4_097, 65_536, 2, 3, 16_384, 10_000];
  for (const expectedBytes of [plain.length, plain.length + 1, plain.length - 1, 10, undefined]) {
    const sealer = new PartSealer({
      material: key.material,
      associatedData: 'name',
      ...(expectedBytes !== undefined && { expectedBytes }),
    });
    const sealed: Uint8Array[] = [];
    for (let position = 0, turn = 0; position < plain.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      sealed.push(...sealer.take(plain.subarray(position, position + size)));
      position += size;
    }
    sealed.push(...sealer.end());
    assert.ok(openBytes(key, 'name', Buffer.concat(sealed)).equals(plain), `expected ${expectedBytes}`);
  }
});

test('attack 45: a body of single bytes does not become a buffer for each', () => {
  const sealer = new PartSealer({ material: key.material, associatedData: 'name', expectedBytes: 200_000 });
  for (let index = 0; index < 200_000; index += 1) sealer.take(Buffer.of(index & 0xff));
  assert.ok(sealer.end().length < 20);
});

test('attack 37: every truncation is refused', () => {
  const sealed = seal(randomBytes(3 * perSegment));
  for (let size = 0; size < sealed.length; size += 1)
    assert.throws(() => open(sealed.subarray(0, size)), SealBrokenError, `cut to ${size}`);
});

test('attack 37: every flipped bit is refused', () => {
  const sealed = seal(randomBytes(2 * perSegment));
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const flipped = Buffer.from(sealed);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => open(flipped), SealBrokenError, `bit ${bit}`);
  }
});

test('attack 37: bytes appended are refused', () => {
  fc.assert(
    fc.property(plains, fc.uint8Array({ minLength: 1, maxLength: 300 }), (plain, extra) =>
      assert.throws(() => open(Buffer.concat([seal(plain), extra])), SealBrokenError),
    ),
  );
});

test('attack 38: segments swapped, doubled or dropped are refused', () => {
  const segments = segmentsOf(seal(randomBytes(5 * perSegment - headerBytes)));
  assert.equal(segments.length, 5);
  for (let first = 0; first < 5; first += 1) {
    assert.throws(() => open(Buffer.concat(segments.toSpliced(first, 1))), SealBrokenError, `without ${first}`);
    assert.throws(
      () => open(Buffer.concat(segments.toSpliced(first, 0, segments[first] ?? Buffer.alloc(0)))),
      SealBrokenError,
      `twice ${first}`,
    );
    for (let second = first + 1; second < 5; second += 1) {
      const swapped = segments.with(first, segments[second] ?? Buffer.alloc(0)).with(second, segments[first] ?? Buffer.alloc(0));
      assert.throws(() => open(Buffer.concat(swapped)), SealBrokenError, `${first} for ${second}`);
    }
  }
});

test('attack 38: the same segment of another part, and a whole part under another name, are refused', () => {
  const plain = randomBytes(3 * perSegment);
  const [ours, theirs] = [segmentsOf(seal(plain)), segmentsOf(seal(plain))];
  for (let index = 0; index < ours.length; index += 1) {
    assert.throws(() => open(Buffer.concat(ours.with(index, theirs[index] ?? Buffer.alloc(0)))), SealBrokenError);
  }
  assert.throws(() => open(seal(plain, 'other'), 'name'), SealBrokenError);
});

test('attack 37: another key is refused', () => {
  assert.throws(() => openBytes({ ...key, material: randomBytes(32) }, 'name', seal(randomBytes(10)), geometry), SealBrokenError);
});

test('attack 38: no two ciphertexts of one nonce ever come out, however expectations fail', () => {
  // All zeroes: two ciphertexts under one key and nonce would be the same key stream, visible at once.
  const plain = Buffer.alloc(4 * perSegment);
  for (const expectedBytes of [
    0,
    1,
    perSegment - headerBytes,
    2 * perSegment,
    plain.length,
    plain.length + 1,
    plain.length * 2,
  ]) {
    const sealer = new PartSealer({ material: key.material, associatedData: 'name', geometry, expectedBytes });
    const sealed = Buffer.concat([...sealer.take(plain), ...sealer.end()]);
    const starts = segmentsOf(sealed).map((segment, index) =>
      segment.subarray(index === 0 ? headerBytes : 0, (index === 0 ? headerBytes : 0) + 16).toString('hex'),
    );
    assert.equal(new Set(starts).size, starts.length);
    assert.equal(sealed.length, sealedSize(geometry, plain.length));
    assert.deepEqual(open(sealed), plain);
  }
});

test('geometry: each plaintext byte lies in the segment that is said to hold it', () => {
  for (let offset = 0, segment = 0; offset < 1_000; offset += 1) {
    if (offset === plainStart(geometry, segment) + plainCapacity(geometry, segment)) segment += 1;
    assert.equal(segmentAt(geometry, offset), segment);
    assert.equal(segmentCount(geometry, offset + 1), segment + 1);
  }
  assert.equal(sealedStart(geometry, 0), headerBytes);
  assert.equal(sealedStart(geometry, 3), 3 * geometry.segmentBytes);
  assert.equal(sealedSize(geometry, 0), headerBytes + tagBytes);
});
