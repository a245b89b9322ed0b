import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type BlobStore, PartExistsError, PartMissingError, type PartName, type PartReader } from './blob-store.ts';

/** Opens the store at one place: each call as a new process would. */
export type OpenStore = () => Promise<BlobStore>;

/**
 * Judges a store by the contract in `blob-store.ts`. `place` makes a new, empty place for each test, and removes it when
 * the test ends; stores are closed here.
 */
export function testBlobStore(name: string, place: (t: TestContext) => Promise<OpenStore>): void {
  const openAt = async (t: TestContext, open: OpenStore): Promise<BlobStore> => {
    const store = await open();
    t.after(() => store.close());
    return store;
  };
  const openNew = async (t: TestContext): Promise<BlobStore> => openAt(t, await place(t));

  describe(`${name}: writing and reading`, () => {
    test('what was appended, in pieces of any size, is read back', async (t) => {
      const store = await openNew(t);
      const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(fc.array(pieces, { maxLength: 5 }), async (appends) => {
          const part = newName();
          const writer = await store.create(part);
          for (const buffers of appends) await writer.append(buffers);
          await writer.commit();
          assert.deepEqual(await readWhole(store, part), Buffer.concat(appends.flat()));
        }),
        { numRuns: 25 },
      );
    });

    test('large objects, and more buffers than one system call takes', async (t) => {
      const store = await openNew(t);
      const bytes = randomBytes(5_000_000);
      const many = Array.from({ length: 3_000 }, (_, index) => bytes.subarray(index * 10, index * 10 + 10));
      const part = newName();
      const writer = await store.create(part);
      for (let start = 0; start < bytes.length; start += 400_000) await writer.append([bytes.subarray(start, start + 400_000)]);
      await writer.append(many);
      await writer.commit();
      assert.ok((await readWhole(store, part)).equals(Buffer.concat([bytes, ...many])));
    });

    test('any range equals the slice, and ends with the object', async (t) => {
      const store = await openNew(t);
      const bytes = randomBytes(1_000);
      const part = await put(store, bytes);
      const reader = await store.open(part);
      t.after(() => reader.close());
      assert.equal(reader.sizeBytes, bytes.length);
      const range = fc.tuple(fc.integer({ min: 0, max: 1_100 }), fc.integer({ min: 0, max: 1_100 }));
      await fc.assert(
        fc.asyncProperty(range, async ([offset, length]) => {
          assert.deepEqual(await readRange(reader, offset, length), bytes.subarray(offset, offset + length));
        }),
        { numRuns: 100 },
      );
    });

    test('several reads at once', async (t) => {
      const store = await openNew(t);
      const bytes = randomBytes(64_000);
      const reader = await store.open(await put(store, bytes));
      t.after(() => reader.close());
      const reads = await Promise.all(Array.from({ length: 64 }, (_, index) => readRange(reader, index * 1_000, 1_000)));
      assert.ok(Buffer.concat(reads).equals(bytes));
    });

    test('many objects at once', async (t) => {
      const store = await openNew(t);
      const contents = Array.from({ length: 40 }, (_, index) => randomBytes(index * 997));
      const parts = await Promise.all(contents.map((bytes) => put(store, bytes)));
      const read = await Promise.all(parts.map((part) => readWhole(store, part)));
      read.forEach((bytes, index) => assert.ok(bytes.equals(contents[index] ?? Buffer.alloc(0))));
    });

    test('an empty object is an object', async (t) => {
      const store = await openNew(t);
      assert.equal((await readWhole(store, await put(store, Buffer.alloc(0)))).length, 0);
    });

    test('nothing can be read before it is committed', async (t) => {
      const store = await openNew(t);
      const part = newName();
      const writer = await store.create(part);
      await writer.append([randomBytes(10)]);
      await assert.rejects(store.open(part), PartMissingError);
      await writer.commit();
      assert.equal((await readWhole(store, part)).length, 10);
    });

    test('the store can be written and read', async (t) => {
      const store = await openNew(t);
      await store.check();
      await store.check();
    });

    test('whoever has given up already gets the reason', async (t) => {
      const store = await openNew(t);
      const part = await put(store, randomBytes(1));
      const reason = new Error('enough');
      const isReason = (error: unknown): boolean => error === reason;
      await assert.rejects(store.open(part, AbortSignal.abort(reason)), isReason);
      const other = newName();
      await assert.rejects(store.create(other, AbortSignal.abort(reason)), isReason);
      await (await store.create(other)).cancel();
    });
  });

  describe(`${name}: names`, () => {
    test('a name is written once', async (t) => {
      const store = await openNew(t);
      const part = newName();
      const writer = await store.create(part);
      await assert.rejects(store.create(part), PartExistsError);
      await writer.append([Buffer.from('first')]);
      await writer.commit();
      await assert.rejects(store.create(part), PartExistsError);
      assert.equal((await readWhole(store, part)).toString(), 'first');
    });

    test('of many who create one name, one does', async (t) => {
      const store = await openNew(t);
      const part = newName();
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => store.create(part)));
      const writers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      assert.equal(writers.length, 1);
      for (const outcome of outcomes) assert.ok(outcome.status === 'fulfilled' || outcome.reason instanceof PartExistsError);
      await writers[0]?.cancel();
    });

    test('a name without an object is missing', async (t) => {
      const store = await openNew(t);
      await assert.rejects(store.open(newName()), PartMissingError);
    });

    test('cancelling drops the object and frees its name, however often', async (t) => {
      const store = await openNew(t);
      const part = newName();
      const writer = await store.create(part);
      await writer.append([randomBytes(100_000)]);
      await Promise.all([writer.cancel(), writer.cancel()]);
      await writer.cancel();
      await assert.rejects(store.open(part), PartMissingError);
      await assert.rejects(writer.append([Buffer.alloc(1)]));
      await assert.rejects(writer.commit());
      await put(store, Buffer.from('second'), part);
      await writer.cancel();
      assert.equal((await readWhole(store, part)).toString(), 'second');
    });

    test('cancelling after the commit does nothing', async (t) => {
      const store = await openNew(t);
      const part = newName();
      const writer = await store.create(part);
      await writer.append([Buffer.from('kept')]);
      await writer.commit();
      await writer.cancel();
      assert.equal((await readWhole(store, part)).toString(), 'kept');
    });

    test('deleting: many, twice, unknown and no names', async (t) => {
      const store = await openNew(t);
      const kept = await put(store, Buffer.from('kept'));
      const parts = await Promise.all(Array.from({ length: 50 }, () => put(store, randomBytes(10))));
      await store.deleteMany([]);
      await store.deleteMany([...parts, newName(), ...parts.slice(0, 3)]);
      await store.deleteMany(parts);
      for (const part of parts) await assert.rejects(store.open(part), PartMissingError);
      assert.equal((await readWhole(store, kept)).toString(), 'kept');
      await put(store, Buffer.from('again'), parts[0]);
    });
  });

  describe(`${name}: the end of a process`, () => {
    test('what was committed stays, what was half written keeps its name until it is deleted', async (t) => {
      const open = await place(t);
      const store = await openAt(t, open);
      if (!store.properties.isDurable) return;
      const bytes = randomBytes(3_000);
      const whole = await put(store, bytes);
      const half = newName();
      const writer = await store.create(half);
      await writer.append([randomBytes(1_000)]);
      const deleted = await put(store, bytes);
      await store.deleteMany([deleted]);
      const again = await openAt(t, open);
      assert.ok((await readWhole(again, whole)).equals(bytes));
      await assert.rejects(again.create(half), PartExistsError);
      await assert.rejects(again.create(whole), PartExistsError);
      await assert.rejects(again.open(deleted), PartMissingError);
      await again.deleteMany([half]);
      await put(again, bytes, half);
      // The test's own process lives on: it lets go of what the crash would have let go of.
      await store.deleteMany([half]);
      await writer.cancel();
    });
  });
}

export function newName(): PartName {
  return randomBytes(16).toString('hex');
}

export async function put(store: BlobStore, bytes: Uint8Array, part = newName()): Promise<PartName> {
  const writer = await store.create(part);
  // The writer frees what it was given.
  await writer.append([Uint8Array.from(bytes)]);
  await writer.commit();
  return part;
}

export async function readWhole(store: BlobStore, part: PartName): Promise<Buffer> {
  const reader = await store.open(part);
  try {
    return await readRange(reader, 0, reader.sizeBytes);
  } finally {
    await reader.close();
  }
}

async function readRange(reader: PartReader, offset: number, length: number): Promise<Buffer> {
  const target = Buffer.alloc(length);
  return target.subarray(0, await reader.read(offset, target));
}
