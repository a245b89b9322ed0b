import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { type TestCatalog, openTestCatalog } from './test-catalog.ts';
import { setProperties } from './test-transactions.ts';

const index = (n: number): object => ({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
  annotations: { n: String(n) },
});

async function moved({ database, registry }: TestCatalog): Promise<readonly (readonly [string, string])[]> {
  const rows = await database.read
    .selectFrom('moved_tags')
    .select(['repository', 'tag', 'digest'])
    .where('registry_id', '=', registry.id)
    .orderBy('id')
    .execute();
  return rows.map(({ repository, tag, digest }) => [`${repository}:${tag}`, digest]);
}

forEachEngine((engine) => {
  test('a push leaves word of each tag that is new or names something else, and of no other', async (t) => {
    const catalog = await openTestCatalog(engine, t);
    const one = await catalog.push('app', index(1), 'v1');
    await catalog.push('app', index(1), 'v1');
    const two = await catalog.push('app', index(2), 'v1', new URLSearchParams([['tag', 'latest']]));
    await catalog.push('app', index(2), 'latest', new URLSearchParams([['tag', 'new']]));
    await catalog.push('app', index(3));
    await catalog.push('app', index(3), '_berth-ca1-0');
    assert.deepEqual(await moved(catalog), [
      ['app:v1', one],
      ['app:latest', two],
      ['app:v1', two],
      ['app:new', two],
    ]);
  });

  test('a tag that is restored counts as moved', async (t) => {
    const catalog = await openTestCatalog(engine, t);
    const properties = JSON.stringify({ policies: { softDeletePolicy: { status: 'enabled', retentionDays: 5 } } });
    await catalog.database.write(setProperties, { id: catalog.registry.id, properties });
    const keeping = catalog.withPolicies({ softDeleteDays: 5 });
    const digest = await keeping.push('app', index(1), 'v1');
    assert.equal((await keeping.ask('delete-manifest', { name: 'app', reference: digest })).status, 202);
    const body = Buffer.from(JSON.stringify({ tag: 'v1' }));
    const answer = await keeping.ask('acr-restore-manifest', { name: 'app', digest, body });
    assert.ok(answer.status < 300, `${answer.status} ${answer.message}`);
    assert.deepEqual(await moved(catalog), [
      ['app:v1', digest],
      ['app:v1', digest],
    ]);
  });
});
