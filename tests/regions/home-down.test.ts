import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryClient, randomImage } from '@berth/testkit';
import { type Region } from './region.ts';
import { RegionWorld } from './region-world.ts';
import { pullWhole, seeRepository } from './seen.ts';

const repository = 'team/app';

test('when the home region is down everything but settings goes on, and nothing is lost', async () => {
  await using world = await RegionWorld.open();
  const { east, west, north } = world.regions;
  const token = await makeToken(world);
  const before = randomImage();
  await east.client.pushImage(repository, before, 'before');
  await world.until('west and north have it', () => lacks([west, north], before.manifest.digest));

  const signIn = async (): Promise<number> => {
    using scoped = new RegistryClient({ url: north.server.url, ...token, scheme: 'basic' });
    return (await scoped.request('GET', `/v2/${repository}/manifests/before`)).status;
  };
  await world.until('north lets the token in', async () => {
    const status = await signIn();
    return status === 200 ? undefined : String(status);
  });

  await east.kill();
  // Without its home a replica starts, too.
  await north.stop();
  await world.start('north');
  const meanwhile = randomImage();
  await west.client.pushImage(repository, meanwhile, 'meanwhile');
  await world.until('north has what was pushed to west', () => lacks([north], meanwhile.manifest.digest));
  for (const { manifest } of [before, meanwhile]) assert.equal(await pullWhole(north, repository, manifest.digest), undefined);
  assert.equal(await signIn(), 200, 'a token of the home region');
  using manager = await world.manager('west');
  const refused = await manager.call('PATCH', manager.provider('registries/local'), { properties: { adminUserEnabled: false } });
  assert.equal(refused.status, 409, String(refused.body));
  assert.match(String(refused.body), /home region, east \(http/);

  await world.start('east');
  await world.until('east has what it missed', () => lacks([east], meanwhile.manifest.digest));
  assert.equal(await pullWhole(east, repository, meanwhile.manifest.digest), undefined);
});

async function lacks(regions: readonly Region[], digest: string): Promise<string | undefined> {
  for (const region of regions)
    if ((await seeRepository(region, repository))?.manifests.includes(digest) !== true) return region.name;
  return undefined;
}

/** Of the registry's home region: it may read everything. */
async function makeToken(world: RegionWorld): Promise<{ readonly username: string; readonly password: string }> {
  using manager = await world.manager('east');
  const scopeMapId = `${manager.provider('registries/local')}/scopeMaps/_repositories_pull`;
  const made = await manager.call('PUT', manager.provider('registries/local/tokens/reader'), {
    properties: { scopeMapId, status: 'enabled' },
  });
  assert.ok(made.status < 300, String(made.body));
  const generated = await manager.call('POST', manager.provider('registries/local/generateCredentials'), {
    tokenId: manager.provider('registries/local/tokens/reader'),
  });
  const { username, passwords } = generated.json as {
    readonly username: string;
    readonly passwords: readonly { readonly value: string }[];
  };
  return { username, password: passwords[0]?.value ?? '' };
}
