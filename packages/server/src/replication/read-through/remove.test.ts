import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine, randomImage } from '@berth/testkit';
import { type TestRegion, openRegions } from '../copy/test-region.ts';

function remove(region: TestRegion, name: string, reference: string): Promise<{ status: number; error: string | undefined }> {
  return region.ask('delete-manifest', { name, reference });
}

async function pulled(region: TestRegion, name: string, reference: string): Promise<number> {
  return (await region.ask('get-manifest', { name, reference })).status;
}

/** What was done in this region itself, and seen there. */
async function deeds(region: TestRegion): Promise<readonly string[]> {
  const told = await region.told();
  return told.filter(({ isVisible }) => isVisible).map(({ action, fact }) => `${action} ${fact.name}`);
}

forEachEngine((engine) => {
  test('what is on its way can be deleted by its digest: it does not come, and is gone where it came from', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const [image, other] = [randomImage(), randomImage()];
    const { digest, mediaType } = image.manifest;
    await west.hear(east, await east.push('a', image, ['v1', 'v2']));
    await west.hear(east, await east.push('a', other, ['other']));
    assert.equal((await remove(west, 'a', digest)).status, 202);
    for (const reference of [digest, 'v1', 'v2']) assert.equal(await pulled(west, 'a', reference), 404);
    assert.equal((await remove(west, 'a', digest)).error, 'MANIFEST_UNKNOWN');
    assert.deepEqual(await deeds(west), [`delete ${digest}`]);
    west.start();
    await west.complete('a', other.manifest);
    assert.equal(await west.has('a', image.manifest), false);
    assert.deepEqual(await west.copiesInWork(), 0);

    const told = await west.told();
    const deletion = told.find(({ action }) => action === 'delete')?.fact;
    assert.deepEqual(deletion?.content, { mediaType, sizeBytes: image.manifest.bytes.length });
    assert.deepEqual(deletion.tags, ['v1', 'v2']);
    const facts = told.map(({ fact }) => fact).filter(({ deleted }) => deleted !== undefined);
    await east.hear(west, facts);
    for (const reference of [digest, 'v1', 'v2']) assert.equal(await pulled(east, 'a', reference), 404);
    assert.equal(await pulled(east, 'a', 'other'), 200);
  });

  test('a tag on its way can be deleted; what it named comes without it', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    await west.hear(east, await east.push('a', image, ['v1', 'v2']));
    assert.equal((await remove(west, 'a', 'v1')).status, 202);
    assert.equal((await remove(west, 'a', 'v1')).error, 'MANIFEST_UNKNOWN');
    assert.equal((await west.ask('acr-delete-tag', { name: 'a', reference: 'v2' })).status, 202);
    west.start();
    await west.complete('a', image.manifest);
    assert.deepEqual(
      [await pulled(west, 'a', 'v1'), await pulled(west, 'a', 'v2'), await pulled(west, 'a', image.manifest.digest)],
      [404, 404, 200],
    );
    assert.deepEqual((await deeds(west)).slice(0, 2), ['untag v1', 'untag v2']);
  });

  test('what was not told yet is asked for, and deleted', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    await east.push('a', image, ['v1']);
    assert.equal((await remove(west, 'a', 'v1')).status, 202);
    assert.equal((await remove(west, 'a', image.manifest.digest)).status, 202);
    assert.equal((await remove(west, 'a', 'unknown')).error, 'MANIFEST_UNKNOWN');
    assert.equal((await remove(west, 'nowhere', 'v1')).error, 'NAME_UNKNOWN');
    assert.equal(await pulled(west, 'a', image.manifest.digest), 404);
  });

  test('what is pushed again afterwards comes', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    await west.hear(east, await east.push('a', image, ['v1']));
    assert.equal((await remove(west, 'a', image.manifest.digest)).status, 202);
    const clock = 1 + Math.max(...(await west.told()).map(({ fact }) => fact.deleted?.clock ?? 0));
    const again = await east.pushManifest('a', image.manifest, ['v1']);
    await west.hear(
      east,
      again.map((fact) => ({ ...fact, ...(fact.set !== undefined && { set: { ...fact.set, clock } }) })),
    );
    assert.equal(await pulled(west, 'a', 'v1'), 200);
    west.start();
    await west.complete('a', image.manifest);
    assert.equal(await pulled(west, 'a', 'v1'), 200);
  });

  for (const kind of ['repository', 'manifest', 'tag'] as const)
    test(`the lock of a ${kind} holds for what is on its way`, async (t) => {
      const { east, west } = await openRegions(engine, t, ['east', 'west']);
      const image = randomImage();
      const { digest } = image.manifest;
      await west.hear(east, await east.push('a', image, ['v1']));
      const name = { repository: '', manifest: digest, tag: 'v1' }[kind];
      await west.hearAttributes(east, { kind, repository: 'a', name }, { delete_enabled: 0 });
      assert.equal((await remove(west, 'a', digest)).error, 'REGISTRY_DISALLOWED_OPERATION');
      const untagged = await remove(west, 'a', 'v1');
      if (kind === 'manifest') assert.equal(untagged.status, 202);
      else assert.equal(untagged.error, 'REGISTRY_DISALLOWED_OPERATION');
      assert.equal(await pulled(west, 'a', digest), 200);
    });
});
