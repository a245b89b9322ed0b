import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestEngine, forEachEngine } from '@berth/testkit';
import { type TestCatalog, digestOf, image, openTestCatalog } from '../test-catalog.ts';
import { setProperties } from '../test-transactions.ts';
import { expireDeleted } from './expire-deleted.ts';

const dayMs = 86_400_000;
const days = 5;

/** A catalog of a registry that keeps what is deleted for some days. */
async function openKeepingCatalog(engine: TestEngine, t: TestContext): Promise<TestCatalog> {
  const catalog = await openTestCatalog(engine, t);
  const properties = JSON.stringify({ policies: { softDeletePolicy: { status: 'enabled', retentionDays: days } } });
  await catalog.database.write(setProperties, { id: catalog.registry.id, properties });
  return catalog.withPolicies({ softDeleteDays: days });
}

async function pushImage(catalog: TestCatalog, name: string, tag: string, layer: string): Promise<string> {
  await catalog.pushBlob(name, 'config');
  await catalog.pushBlob(name, layer);
  return catalog.push(name, image('config', [layer]), tag);
}

async function blobsLeft({ database, registry }: TestCatalog): Promise<readonly string[]> {
  const rows = await database.read.selectFrom('blobs').select('digest').where('registry_id', '=', registry.id).execute();
  return rows.map((row) => row.digest).toSorted();
}

/** Collects until nothing more is due. */
async function collectLater(catalog: TestCatalog, ms: number): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    catalog.clock.time += ms / 3;
    await catalog.collect();
  }
}

forEachEngine((engine) => {
  test('attacks 26, 40: collection leaves what can be restored, and nobody reads it meanwhile', async (t) => {
    const catalog = await openKeepingCatalog(engine, t);
    const digest = await pushImage(catalog, 'a', 'v1', 'layer');
    assert.equal((await catalog.ask('delete-manifest', { name: 'a', reference: digest })).status, 202);
    await collectLater(catalog, 4 * dayMs);
    assert.deepEqual(await blobsLeft(catalog), [digestOf('config'), digestOf('layer')].toSorted());
    assert.equal((await catalog.ask('get-blob', { name: 'a', digest: digestOf('layer') })).status, 404);
    const mounted = await catalog.ask('start-upload', { name: 'b', query: { mount: digestOf('layer'), from: 'a' } });
    assert.equal(mounted.status, 202, 'nothing is mounted from a repository that does not have it');
    await expireDeleted(catalog, [catalog.registry], t.signal);
    assert.equal((await catalog.ask('acr-restore-manifest', { name: 'a', digest, body: Buffer.from('{}') })).status, 200);
    assert.equal((await catalog.ask('get-blob', { name: 'a', digest: digestOf('layer') })).status, 200);
    await collectLater(catalog, 4 * dayMs);
    assert.equal((await catalog.ask('get-manifest', { name: 'a', reference: 'v1' })).status, 200, 'what was restored stays');
    assert.deepEqual(catalog.logged, []);
  });

  test('attack 18: after its days a deleted manifest is gone, and its blobs with it', async (t) => {
    const catalog = await openKeepingCatalog(engine, t);
    const digest = await pushImage(catalog, 'a', 'v1', 'mine');
    await pushImage(catalog, 'a', 'v2', 'other');
    assert.equal((await catalog.ask('delete-manifest', { name: 'a', reference: digest })).status, 202);
    catalog.clock.time += days * dayMs + 1;
    await expireDeleted(catalog, [catalog.registry], t.signal);
    await collectLater(catalog, 3 * dayMs);
    assert.equal(
      (await catalog.ask('acr-restore-manifest', { name: 'a', digest, body: Buffer.from('{}') })).error,
      'MANIFEST_UNKNOWN',
    );
    assert.deepEqual(await blobsLeft(catalog), [digestOf('config'), digestOf('other')].toSorted());
    assert.deepEqual((await catalog.ask('acr-list-deleted-tags', { name: 'a' })).json, {
      registry: 'localhost',
      imageName: 'a',
      tags: [],
    });
  });

  test('switched off, the bin is emptied a week after the deletes', async (t) => {
    const catalog = await openKeepingCatalog(engine, t);
    const digest = await pushImage(catalog, 'a', 'v1', 'layer');
    assert.equal((await catalog.ask('delete-manifest', { name: 'a', reference: digest })).status, 202);
    await catalog.database.write(setProperties, { id: catalog.registry.id, properties: '{}' });
    const off = catalog.withPolicies({ softDeleteDays: undefined });
    off.clock.time += 7 * dayMs - 1;
    await expireDeleted(off, [off.registry], t.signal);
    const names = async (): Promise<unknown> => (await off.ask('acr-list-deleted-repositories', {})).json;
    assert.deepEqual(await names(), { repositories: ['a'] });
    off.clock.time += 2;
    await expireDeleted(off, [off.registry], t.signal);
    assert.deepEqual(await names(), { repositories: [] });
  });

  test('attack 18: what is locked is not deleted, by whatever path', async (t) => {
    const catalog = await openKeepingCatalog(engine, t);
    const digest = await pushImage(catalog, 'a', 'v1', 'layer');
    await catalog.ask('acr-update-manifest', { name: 'a', digest, body: Buffer.from('{"deleteEnabled":false}') });
    for (const [operation, request] of [
      ['delete-manifest', { name: 'a', reference: digest }],
      ['delete-repository', { name: 'a' }],
    ] as const)
      assert.equal((await catalog.ask(operation, request)).error, 'REGISTRY_DISALLOWED_OPERATION');
    assert.equal((await catalog.ask('get-manifest', { name: 'a', reference: 'v1' })).status, 200);
  });
});
