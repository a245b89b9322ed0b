import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { type TestCatalog, image, openTestCatalog } from './test-catalog.ts';

const first = image('config');
const second = image('config', [], { annotations: { number: '2' } });

async function untaggedAt({ database }: TestCatalog, digest: string): Promise<number | null | undefined> {
  const row = await database.read.selectFrom('manifests').select('untagged_at').where('digest', '=', digest).executeTakeFirst();
  return row?.untagged_at;
}

forEachEngine((engine) => {
  test('a manifest is untagged from when its last tag was deleted or moved away until it is tagged again', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', first, 'v1', new URLSearchParams('tag=v2&tag=v3'));
    const remove = (reference: string) => registry.ask('delete-manifest', { name: 'a', reference });
    const later = (): number => (registry.clock.time += 1000);
    await remove('v1');
    await registry.push('a', second, 'v2');
    assert.equal(await untaggedAt(registry, digest), null, 'one tag is left');
    const deletedAt = later();
    await remove('v3');
    assert.equal(await untaggedAt(registry, digest), deletedAt);
    later();
    await registry.push('a', first, 'v1');
    assert.equal(await untaggedAt(registry, digest), null);
    const movedAt = later();
    await registry.push('a', second, 'v1');
    assert.equal(await untaggedAt(registry, digest), movedAt);
    const renewedAt = later();
    await registry.push('a', first);
    assert.equal(await untaggedAt(registry, digest), renewedAt, 'whoever pushes it again is about to use it');
  });

  test('a manifest that never had a tag does not become untagged', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', first);
    registry.clock.time += 1000;
    await registry.push('a', first);
    assert.equal(await untaggedAt(registry, digest), null);
  });

  test('whoever takes the last tag notes it, however many tags go at once', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const tags = Array.from({ length: 20 }, (_, index) => `t${index}`);
    for (let round = 0; round < 5; round += 1) {
      const digest = await registry.push('a', first, 'last', new URLSearchParams(tags.map((tag) => ['tag', tag])));
      await Promise.all(
        ['last', ...tags].map((tag, at) =>
          at % 2 === 0 ? registry.ask('delete-manifest', { name: 'a', reference: tag }) : registry.push('a', second, tag),
        ),
      );
      assert.equal(await untaggedAt(registry, digest), registry.clock.time);
    }
  });

  test('pushes that swap tags do not wait for each other for ever, and what is left is noted', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digests = [await registry.push('a', first, 'x'), await registry.push('a', second, 'y')];
    const swaps = Array.from({ length: 30 }, (_, at) =>
      registry.push('a', at % 2 === 0 ? first : second, at % 3 === 0 ? 'x' : 'y'),
    );
    await Promise.all(swaps);
    for (const digest of digests) {
      const tagged = await registry.database.read
        .selectFrom('tags')
        .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
        .select('tags.name')
        .where('manifests.digest', '=', digest)
        .execute();
      assert.equal(await untaggedAt(registry, digest), tagged.length > 0 ? null : registry.clock.time);
    }
  });
});
