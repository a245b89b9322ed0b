import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { partGeometry, plainCapacity, plainStart, sealedSize } from '../sealing/index.ts';
import { newName, put, readWhole } from './blob-store.contract.ts';
import type { BlobStore, PartName } from './blob-store.ts';
import { type Faults, faultyStore } from './faulty-store.ts';
import { openFilesystemStore } from './filesystem-store.ts';
import { openMemoryStore } from './memory-store.ts';
import { openSealedStore } from './open-sealed-store.ts';
import { PartDamagedError, type SealedStore } from './sealed-store.ts';

const geometry = { segmentBytes: 128 };
const key = { id: 'k', registryId: 1, material: randomBytes(32) };

async function seal(
  store: SealedStore,
  plain: Uint8Array,
  options: { expectedBytes?: number; chunkBytes?: number; name?: PartName } = {},
): Promise<PartName> {
  const { expectedBytes, chunkBytes = 50, name = newName() } = options;
  const writer = await store.create(name, key, expectedBytes === undefined ? {} : { expectedBytes });
  for (let start = 0; start < plain.length; start += chunkBytes)
    await writer.write(Uint8Array.from(plain.subarray(start, start + chunkBytes)));
  assert.equal(writer.sizeBytes, plain.length);
  await writer.commit();
  return name;
}

async function readAll(
  store: SealedStore,
  name: PartName,
  range: { start: number; end: number; sizeBytes: number },
): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const buffers of store.read(name, key, range)) all.push(...buffers);
  return Buffer.concat(all);
}

const whole = (sizeBytes: number): { start: number; end: number; sizeBytes: number } => ({ start: 0, end: sizeBytes, sizeBytes });

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -1, max: 1 }))
    .map(([count, step]) => Math.max(0, plainStart(geometry, count) + step)),
);

test('any range of any part is the slice of its plaintext, however long it was said to be', async () => {
  const store = openSealedStore(openMemoryStore(), { geometry });
  const cases = fc.tuple(
    sizes,
    fc.nat(700),
    fc.nat(700),
    fc.option(fc.nat(700), { nil: undefined }),
    fc.integer({ min: 1, max: 300 }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([size, a, b, expectedBytes, chunkBytes]) => {
      const plain = randomBytes(size);
      const name = await seal(store, plain, { chunkBytes, ...(expectedBytes !== undefined && { expectedBytes }) });
      const [start, end] = [Math.min(a, b, size), Math.min(Math.max(a, b), size)];
      assert.deepEqual(await readAll(store, name, { start, end, sizeBytes: size }), plain.subarray(start, end));
      await store.verify(name, key, size);
    }),
    { numRuns: 300 },
  );
});

test('a range that is none is a bug of the caller', async () => {
  const store = openSealedStore(openMemoryStore(), { geometry });
  const name = await seal(store, Buffer.alloc(10));
  for (const [start, end] of [
    [-1, 5],
    [6, 5],
    [0, 11],
    [Number.NaN, 5],
  ] as const)
    await assert.rejects(readAll(store, name, { start, end, sizeBytes: 10 }), RangeError);
});

test('the store sees ciphertext only', async () => {
  const inner = openMemoryStore();
  const store = openSealedStore(inner, { geometry });
  const plain = Buffer.from('a layer that says secret things '.repeat(20));
  const name = await seal(store, plain);
  const stored = await readWhole(inner, name);
  assert.equal(stored.length, sealedSize(geometry, plain.length));
  assert.equal(stored.includes('secret'), false);
});

test('a range reads only the segments that it needs, each once', async () => {
  const inner = openMemoryStore();
  const reads: number[] = [];
  const watched: BlobStore = {
    ...inner,
    open: async (name) => {
      const reader = await inner.open(name);
      return {
        sizeBytes: reader.sizeBytes,
        close: () => reader.close(),
        read: (offset, target) => (reads.push(offset), reader.read(offset, target)),
      };
    },
  };
  const store = openSealedStore(watched, { geometry });
  const plain = randomBytes(plainStart(geometry, 10));
  const name = await seal(store, plain);
  await readAll(store, name, { start: plainStart(geometry, 4) + 1, end: plainStart(geometry, 6), sizeBytes: plain.length });
  // The header, then segments 4 and 5.
  assert.deepEqual(
    reads.toSorted((a, b) => a - b),
    [0, 4 * 128, 5 * 128],
  );
  reads.length = 0;
  await readAll(store, name, { start: 0, end: 10, sizeBytes: plain.length });
  assert.deepEqual(reads, [0]);
});

test('attack 37: every flipped bit, truncation and addition is damage, before its bytes are handed out', async () => {
  const inner = openMemoryStore();
  const store = openSealedStore(inner, { geometry });
  const plain = randomBytes(150);
  const name = await seal(store, plain);
  const sealed = await readWhole(inner, name);
  const refuses = async (bytes: Uint8Array): Promise<void> => {
    await inner.deleteMany([name]);
    await put(inner, bytes, name);
    const got: Buffer[] = [];
    const reading = async (): Promise<void> => {
      for await (const buffers of store.read(name, key, whole(plain.length))) got.push(...buffers);
    };
    await assert.rejects(reading(), PartDamagedError);
    await assert.rejects(store.verify(name, key, plain.length), PartDamagedError);
    const bytesGot = Buffer.concat(got);
    assert.deepEqual(bytesGot, plain.subarray(0, bytesGot.length));
  };
  for (let bit = 0; bit < sealed.length * 8; bit += 3)
    await refuses(sealed.with(bit >> 3, (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7))));
  for (let size = 0; size < sealed.length; size += 1) await refuses(sealed.subarray(0, size));
  await refuses(Buffer.concat([sealed, Buffer.alloc(1)]));
  // Whole segments cut off, and the size in the database cut alike.
  await inner.deleteMany([name]);
  await put(inner, sealed.subarray(0, 128), name);
  await assert.rejects(store.verify(name, key, plainCapacity(geometry, 0)), PartDamagedError);
});

test('attack 38: parts swapped, missing, of another key or of another size are damage', async () => {
  const inner = openMemoryStore();
  const store = openSealedStore(inner, { geometry });
  const [a, b] = [await seal(store, randomBytes(200)), await seal(store, randomBytes(200))];
  const [sealedA, sealedB] = [await readWhole(inner, a), await readWhole(inner, b)];
  await assert.rejects(store.verify(a, { ...key, material: randomBytes(32) }, 200), PartDamagedError);
  for (const size of [0, 199, 201]) await assert.rejects(store.verify(a, key, size), PartDamagedError);
  await inner.deleteMany([a, b]);
  await put(inner, sealedA, b);
  await put(inner, sealedB, a);
  for (const name of [a, b]) await assert.rejects(store.verify(name, key, 200), PartDamagedError);
  await assert.rejects(store.verify(newName(), key, 1), PartDamagedError);
});

test('attack 37: a store that cuts or flips what it reads is found out', async () => {
  const faults: Faults = {};
  const store = openSealedStore(faultyStore(openMemoryStore(), faults, 3), { geometry });
  const plain = randomBytes(1_000);
  const name = await seal(store, plain);
  for (const fault of ['shortRead', 'flippedBit'] as const) {
    faults[fault] = 1;
    for (let turn = 0; turn < 20; turn += 1) await assert.rejects(store.verify(name, key, plain.length), PartDamagedError);
    faults[fault] = 0;
  }
  await store.verify(name, key, plain.length);
});

test('a read ahead that fails while the consumer is busy is told when its turn comes', async () => {
  const faults: Faults = {};
  const store = openSealedStore(faultyStore(openMemoryStore(), faults, 3), { geometry: { segmentBytes: 70_000 }, maxBuffers: 4 });
  const plain = randomBytes(300_000);
  const name = await seal(store, plain, { chunkBytes: 60_000 });
  for (let turn = 0; turn < 10; turn += 1) {
    const reading = store.read(name, key, whole(plain.length));
    await reading.next();
    faults.transient = 1;
    // An error that nobody waits for would end the process here.
    await new Promise(setImmediate);
    await assert.rejects(async () => {
      for (;;) if ((await reading.next()).done === true) break;
    }, /injected/);
    faults.transient = 0;
  }
  assert.ok((await readAll(store, name, whole(plain.length))).equals(plain));
});

test('segment buffers are bounded, come back from consumers who leave, and slow ones hold up nobody', async () => {
  const inner = openMemoryStore();
  const store = openSealedStore(inner, { geometry: { segmentBytes: 70_000 }, maxBuffers: 2 });
  const plain = randomBytes(400_000);
  const name = await seal(store, plain, { chunkBytes: 60_000 });
  const slow = Array.from({ length: 10 }, () => store.read(name, key, whole(plain.length)));
  for (const reading of slow) assert.equal((await reading.next()).done, false);
  // All of them stand still in the middle; others get through.
  for (let turn = 0; turn < 5; turn += 1) assert.ok((await readAll(store, name, whole(plain.length))).equals(plain));
  for (const reading of slow.slice(5)) await reading.return();
  for (const reading of slow.slice(0, 5)) {
    const rest: Buffer[] = [];
    for await (const buffers of reading) rest.push(...buffers);
    assert.ok(Buffer.concat(rest).equals(plain.subarray(plain.length - Buffer.concat(rest).length)));
  }
  const many = await Promise.all(Array.from({ length: 20 }, () => readAll(store, name, whole(plain.length))));
  assert.ok(many.every((bytes) => bytes.equals(plain)));
});

test('who gives up reading stops at the next segment', async () => {
  const store = openSealedStore(openMemoryStore(), { geometry });
  const plain = randomBytes(1_000);
  const name = await seal(store, plain);
  const controller = new AbortController();
  const reading = store.read(name, key, whole(plain.length), controller.signal);
  await reading.next();
  controller.abort(new Error('enough'));
  await assert.rejects(reading.next(), /enough/);
  await assert.rejects(store.verify(name, key, plain.length, controller.signal), /enough/);
});

test('a part that is cancelled leaves nothing', async () => {
  const store = openSealedStore(openMemoryStore(), { geometry });
  const name = newName();
  const writer = await store.create(name, key);
  await writer.write(randomBytes(1_000));
  await writer.cancel();
  await assert.rejects(store.verify(name, key, 1_000), PartDamagedError);
  await seal(store, Buffer.from('x'), { name });
  await store.deleteMany([name]);
  await store.check();
  await store.close();
});

test('on files, in segments of a MiB: whole, by ranges, and damaged in one byte', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-sealed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = openSealedStore(await openFilesystemStore(folder));
  const first = plainCapacity(partGeometry, 0);
  const plain = randomBytes(3 * partGeometry.segmentBytes + 12_345);
  const name = await seal(store, plain, { chunkBytes: 65_536, expectedBytes: plain.length });
  assert.ok((await readAll(store, name, whole(plain.length))).equals(plain));
  for (const [start, end] of [
    [0, 1],
    [first - 1, first + 1],
    [first, first],
    [plain.length - 5, plain.length],
    [100_000, 2_500_000],
  ] as const) {
    assert.ok((await readAll(store, name, { start, end, sizeBytes: plain.length })).equals(plain.subarray(start, end)));
  }
  const file: FileHandle = await open(join(folder, name.slice(0, 2), name), 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 2_500_000);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 0x10), 0, 1, 2_500_000);
  await file.close();
  assert.ok((await readAll(store, name, { start: 0, end: first, sizeBytes: plain.length })).equals(plain.subarray(0, first)));
  await assert.rejects(store.verify(name, key, plain.length), PartDamagedError);
});
