import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, randomImage } from '@berth/testkit';
import { RegionWorld } from './region-world.ts';

const times = process.env['BERTH_LONG'] === '1' ? 1_000 : 200;

test(`what was pushed in one region can be pulled in another at once: ${times} times, no miss`, async () => {
  await using world = await RegionWorld.open({ replicas: ['west'] });
  const { east, west } = world.regions;
  for (let index = 0; index < times; index += 1) {
    const image = randomImage({ layers: 1, layerBytes: 1024, seed: index });
    const [repository, tag] = [`at-once/${index % 10}`, `v${index}`];
    await east.client.pushImage(repository, image, tag);
    const manifest = await west.client.pull(repository, 'manifests', tag);
    assert.equal(digestOf(manifest), image.manifest.digest);
    for (const { digest } of [image.config, ...image.layers])
      assert.equal(digestOf(await west.client.pull(repository, 'blobs', digest)), digest);
  }
});
