import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import type { Database } from '../platform/database/index.ts';
import { findRepositoryId } from './queries.ts';
import { addRegistry, ensure, markDeleted } from './test-transactions.ts';

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);

async function open(engine: TestEngine, t: TestContext): Promise<{ database: Database; registryId: number }> {
  const database = await engine.open(t, { transactionsModule });
  return { database, registryId: await database.write(addRegistry, { name: 'local' }) };
}

forEachEngine((engine) => {
  test('a repository is made once and found by its exact name', async (t) => {
    const { database, registryId } = await open(engine, t);
    const id = await database.write(ensure, { registryId, name: 'a/b', now: 1 });
    assert.equal(await database.write(ensure, { registryId, name: 'a/b', now: 2 }), id);
    assert.equal(await findRepositoryId(database.read, registryId, 'a/b'), id);
    for (const name of ['a', 'a/b/c', 'a/B', 'a/b '])
      assert.equal(await findRepositoryId(database.read, registryId, name), undefined);
    const row = await database.read.selectFrom('repositories').selectAll().executeTakeFirstOrThrow();
    const { delete_enabled, write_enabled, list_enabled, read_enabled, ...rest } = row;
    assert.deepEqual([delete_enabled, write_enabled, list_enabled, read_enabled], [1, 1, 1, 1]);
    const times = { created_at: 1, updated_at: 1, listed_at: null, deleted_at: null };
    assert.deepEqual(rest, { id, registry_id: registryId, name: 'a/b', ...times, manifest_count: 0, tag_count: 0 });
  });

  test('registries do not share names', async (t) => {
    const { database, registryId } = await open(engine, t);
    const otherId = await database.write(addRegistry, { name: 'other' });
    await database.write(ensure, { registryId, name: 'a', now: 1 });
    assert.equal(await findRepositoryId(database.read, otherId, 'a'), undefined);
  });

  test('pushes that meet a new name at once get one repository', async (t) => {
    const { database, registryId } = await open(engine, t);
    const ids = await Promise.all(Array.from({ length: 20 }, () => database.write(ensure, { registryId, name: 'new', now: 1 })));
    assert.equal(new Set(ids).size, 1);
  });

  test('the name of a deleted repository is free at once', async (t) => {
    const { database, registryId } = await open(engine, t);
    for (let round = 0; round < 3; round += 1) {
      const id = await database.write(ensure, { registryId, name: 'again', now: round });
      await database.write(markDeleted, { id });
      assert.equal(await findRepositoryId(database.read, registryId, 'again'), undefined);
    }
    const rows = await database.read.selectFrom('repositories').select('id').execute();
    assert.equal(rows.length, 3);
  });
});
