import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { RegistryError } from '../../errors/index.ts';
import * as given from './test-transactions.ts';

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);

forEachEngine((engine) => {
  test('a write is read as soon as it has resolved', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    for (let count = 1; count <= 50; count += 1) {
      const id = await database.write(given.addRegistry, { name: `r${count}` });
      const row = await database.read.selectFrom('registries').select('name').where('id', '=', id).executeTakeFirst();
      assert.deepEqual(row, { name: `r${count}` });
    }
    await database.check();
  });

  test('values arrive alike: numbers, Buffers, plain rows', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const registryId = await database.write(given.addRegistry, { name: 'r', at: Number.MAX_SAFE_INTEGER });
    const wrapped = Buffer.from([0, 255, 1]);
    await database.write(given.addKey, { registryId, wrapped });
    const key = await database.read.selectFrom('data_keys').selectAll().executeTakeFirstOrThrow();
    const expected = { registry_id: registryId, wrapping_key_id: 'w', wrapped_key: wrapped, is_current: 1, created_at: 2 ** 50 };
    assert.deepEqual(key, { id: 'key', ...expected });
    const sums = await database.read
      .selectFrom('registries')
      .select(({ fn }) => [fn.sum<number>('created_at').as('sum'), fn.countAll<number>().as('count')])
      .executeTakeFirstOrThrow();
    assert.deepEqual(sums, { sum: Number.MAX_SAFE_INTEGER, count: 1 });
  });

  test('a number that a double cannot hold is an error, not a wrong number', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    await database.write(given.addRegistry, { name: 'a', at: Number.MAX_SAFE_INTEGER });
    await database.write(given.addRegistry, { name: 'b', at: 2 });
    const query = database.read.selectFrom('registries').select(({ fn }) => fn.sum<number>('created_at').as('sum'));
    await assert.rejects(query.execute(), RangeError);
  });

  test('names sort and page by byte', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const registryId = await database.write(given.addRegistry, { name: 'r' });
    const sorted = ['0', 'A', 'B', '_', 'a', 'a-b', 'a.b', 'a/b', 'a_b', 'aa', 'b', 'é', '𝒳'];
    await database.write(given.addNames, { registryId, names: sorted.toReversed() });
    const query = database.read.selectFrom('repositories').select('name').orderBy('name');
    assert.deepEqual(
      (await query.execute()).map((row) => row.name),
      sorted,
    );
    assert.deepEqual(
      (await query.where('name', '>', 'a.b').execute()).map((row) => row.name),
      sorted.slice(7),
    );
  });

  test('a transaction that throws leaves nothing behind, and the others of its batch stay', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0
          ? database.write(given.addRegistry, { name: `good${index}` })
          : database.write(given.addThenFail, { name: `bad${index}` }),
      ),
    );
    assert.equal(outcomes.filter((outcome) => outcome.status === 'rejected').length, 20);
    const names = (await database.read.selectFrom('registries').select('name').execute()).map((row) => row.name);
    assert.equal(names.length, 20);
    assert.ok(names.every((name) => name.startsWith('good')));
  });

  test('a RegistryError arrives as it was thrown', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const error = await database.write(given.addThenFail, { name: 'x' }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof RegistryError);
    const { message, detail, headers, status } = error;
    assert.deepEqual(
      { error: error.error, message, detail, headers, status },
      {
        error: 'MANIFEST_INVALID',
        message: 'no x here',
        detail: { name: 'x', offsets: [1, 2] },
        headers: { 'Retry-After': '7' },
        status: 400,
      },
    );
  });

  test('a bug arrives as an error with its text, and is not an expected outcome', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const error = await database.write(given.misbehave, {}).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error && !(error instanceof RegistryError));
    assert.match(error.message, /a bug in a transaction/);
    assert.match(error.stack ?? '', /test-transactions/);
  });

  test('of many that insert one unique name, one wins', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const attempts = Array.from({ length: 20 }, () => database.write(given.addRegistry, { name: 'only' }));
    const outcomes = await Promise.allSettled(attempts);
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  });

  test('no count is lost between read and write of one transaction', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const registryId = await database.write(given.addRegistry, { name: 'counter' });
    await Promise.all(Array.from({ length: 60 }, () => database.write(given.increment, { registryId })));
    const row = await database.read.selectFrom('registries').select('created_at').executeTakeFirstOrThrow();
    assert.equal(row.created_at, 60);
  });

  test('transactions that lock in opposite orders all succeed', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const a = await database.write(given.addRegistry, { name: 'a' });
    const b = await database.write(given.addRegistry, { name: 'b' });
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        database.write(given.touchBoth, index % 2 === 0 ? { first: a, second: b } : { first: b, second: a }),
      ),
    );
    const rows = await database.read.selectFrom('registries').select('created_at').execute();
    assert.deepEqual(rows, [{ created_at: 30 }, { created_at: 30 }]);
  });

  test('a blob is never collected under a link that is made at the same time', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const registryId = await database.write(given.addRegistry, { name: 'r' });
    for (let round = 0; round < 20; round += 1) {
      const ids = await database.write(given.addLinkedBlob, { registryId, digest: `sha256:${round}` });
      await database.write(given.unlinkBlob, ids);
      const linked = database.write(given.linkBlob, ids).then(
        () => true,
        () => false,
      );
      const [isLinked, isCollected] = await Promise.all([linked, database.write(given.collectBlob, { blobId: ids.blobId })]);
      assert.notEqual(isLinked, isCollected);
    }
  });

  test('a blob that is linked cannot go, with or without the collector', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const registryId = await database.write(given.addRegistry, { name: 'r' });
    const ids = await database.write(given.addLinkedBlob, { registryId, digest: 'sha256:a' });
    assert.equal(await database.write(given.collectBlob, ids), false);
    await database.write(given.unlinkBlob, ids);
    assert.equal(await database.write(given.collectBlob, ids), true);
  });

  test('a prepared read answers like any other, outside and inside of transactions', async (t) => {
    const database = await engine.open(t, { transactionsModule });
    const id = await database.write(given.addRegistry, { name: 'r' });
    assert.deepEqual(await given.findByName.first(database.read, { name: 'r' }), { id, anonymous_pull: 0 });
    assert.deepEqual(await given.findByName.all(database.read, { name: 'nobody' }), []);
    const inside = await database.write(given.findInside, { name: 'inside' });
    assert.deepEqual(inside, await given.findByName.first(database.read, { name: 'inside' }));
  });
});
