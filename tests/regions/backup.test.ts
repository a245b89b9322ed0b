import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { randomImage } from '@berth/testkit';
import { RegionWorld } from './region-world.ts';
import { pullWhole, seeRepository } from './seen.ts';

test('attack 39: a region that is restored from an old backup catches up, and brings nothing back from the dead', async () => {
  await using world = await RegionWorld.open();
  const { east, west, north } = world.regions;
  const [kept, deleted, later, alsoLater] = [randomImage(), randomImage(), randomImage(), randomImage()];
  await north.client.pushImage('team/app', kept, 'kept');
  await north.client.pushImage('team/app', deleted, 'deleted');
  const shows = async (tags: Readonly<Record<string, string>>): Promise<void> => {
    for (const region of [east, west, north])
      await world.until(`${region.name} shows ${Object.keys(tags).join(', ')}`, async () => {
        const seen = await seeRepository(region, 'team/app');
        return isDeepStrictEqual(seen?.tags, tags) ? undefined : JSON.stringify(seen ?? 'nothing');
      });
  };
  await shows({ kept: kept.manifest.digest, deleted: deleted.manifest.digest });

  await north.stop();
  await north.backUp();
  await world.start('north');
  // What it says after this is lost to it, and known elsewhere.
  await north.client.pushImage('team/app', later, 'later');
  await north.client.request('DELETE', `/v2/team/app/manifests/${deleted.manifest.digest}`);
  await shows({ kept: kept.manifest.digest, later: later.manifest.digest });

  await north.kill();
  await north.restore();
  await world.start('north');
  await north.client.pushImage('team/app', alsoLater, 'also-later');
  await shows({
    kept: kept.manifest.digest,
    later: later.manifest.digest,
    'also-later': alsoLater.manifest.digest,
  });
  for (const region of [east, west, north])
    for (const { manifest } of [kept, later, alsoLater])
      assert.equal(await pullWhole(region, 'team/app', manifest.digest), undefined);
});
