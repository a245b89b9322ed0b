import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomImage } from '@berth/testkit';
import { NamespaceNetwork, missingForNamespaces } from './namespace-network.ts';
import { RegionWorld } from './region-world.ts';
import { pullWhole } from './seen.ts';

test('an image comes whole over a slow link on which packets are lost and overtake each other', {
  skip: missingForNamespaces(),
}, async (t) => {
  const network = await NamespaceNetwork.open();
  await using world = await RegionWorld.open({ replicas: ['west'], network });
  const { east, west } = world.regions;
  for (const [from, to] of [['east', 'west'] as const, ['west', 'east'] as const]) await network.set(from, to, 'slow');
  const image = randomImage({ layers: 2, layerBytes: 1_000_000 });
  const { digest } = image.manifest;
  await east.client.pushImage('team/app', image, 'v1');
  await world.until('west lists the image', async () => {
    const { status } = await west.client.request('GET', `/acr/v1/team/app/_manifests/${digest}`);
    return status === 200 ? undefined : String(status);
  });
  const overtaken = await network.overtaken('west');
  t.diagnostic(`${overtaken} packets came after later ones`);
  assert.ok(overtaken > 0);
  await network.heal();
  assert.equal(await pullWhole(west, 'team/app', digest), undefined);
});
