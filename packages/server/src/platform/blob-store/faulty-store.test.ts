import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newName, put, readWhole } from './blob-store.contract.ts';
import { PartMissingError, StoreFullError } from './blob-store.ts';
import { type Faults, InjectedError, faultyStore } from './faulty-store.ts';
import { openMemoryStore } from './memory-store.ts';

test('the same seed fails the same way', async () => {
  const run = async (seed: number): Promise<string> => {
    const store = faultyStore(openMemoryStore(), { transient: 0.3, failedAppend: 0.2, failedCommit: 0.2 }, seed);
    const outcomes: string[] = [];
    for (let index = 0; index < 50; index += 1) {
      outcomes.push(
        await put(store, Buffer.from('x')).then(
          () => 'ok',
          (error: Error) => error.message,
        ),
      );
    }
    return outcomes.join();
  };
  assert.equal(await run(1), await run(1));
  assert.notEqual(await run(1), await run(2));
  for (const outcome of ['ok', 'injected', 'appending failed', 'committing failed']) assert.ok((await run(1)).includes(outcome));
});

test('space runs out, and comes back', async () => {
  const faults: Faults = { spaceBytes: 5 };
  const store = faultyStore(openMemoryStore(), faults, 1);
  await put(store, Buffer.alloc(3));
  await assert.rejects(put(store, Buffer.alloc(3)), StoreFullError);
  await put(store, Buffer.alloc(2));
  faults.spaceBytes = 100;
  await put(store, Buffer.alloc(50));
});

test('a commit that fails may have taken effect', async () => {
  const store = faultyStore(openMemoryStore(), { failedCommit: 1 }, 1);
  const outcomes = new Set<boolean>();
  for (let index = 0; index < 20; index += 1) {
    const part = newName();
    await assert.rejects(put(store, Buffer.alloc(1), part), InjectedError);
    outcomes.add(
      await readWhole(store, part).then(
        () => true,
        (error: unknown) => !(error instanceof PartMissingError),
      ),
    );
  }
  assert.deepEqual(outcomes, new Set([true, false]));
});

test('reads are cut or wrong in one bit', async () => {
  const bytes = Buffer.alloc(100);
  const faults: Faults = {};
  const store = faultyStore(openMemoryStore(), faults, 1);
  const part = await put(store, bytes);
  faults.shortRead = 1;
  assert.ok((await readWhole(store, part)).length < 100);
  faults.shortRead = 0;
  faults.flippedBit = 1;
  const flipped = await readWhole(store, part);
  assert.equal(
    flipped.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0),
    1,
  );
});

test('a deletion of many fails half way', async () => {
  const store = faultyStore(openMemoryStore(), { failedDelete: 1 }, 1);
  const parts = [await put(store, Buffer.alloc(1)), await put(store, Buffer.alloc(1))];
  await assert.rejects(store.deleteMany(parts), InjectedError);
  await assert.rejects(store.open(parts[0] ?? ''), PartMissingError);
  await (await store.open(parts[1] ?? '')).close();
  await store.check();
  await store.close();
});
