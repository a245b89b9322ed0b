import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomImage } from '@berth/testkit';
import type { Region } from './region.ts';
import { RegionWorld } from './region-world.ts';

test('pulls by the shared name go to the nearest region that is healthy and routed; balancers are told the same', async () => {
  const settings = { routing: 'redirect', regionNetworks: 'west=127.0.0.0/8', loginServer: 'registry.example' };
  await using world = await RegionWorld.open({ replicas: ['west'], settings });
  const { east, west } = world.regions;
  const image = randomImage();
  await east.client.pushImage('team/app', image, 'v1');
  const path = '/v2/team/app/manifests/v1';
  const ask = (region: Region, host: string, method = 'GET') => region.client.request(method, path, { headers: { host } });

  const sent = await ask(east, 'registry.example');
  assert.deepEqual([sent.status, sent.headers.location], [307, `http://west.registry.example${path}`]);
  assert.equal((await ask(east, 'registry.example', 'HEAD')).status, 307);
  // Whoever asks a region by its name is served there; so is whoever came to the nearest.
  for (const [region, host] of [
    [east, 'east.registry.example'],
    [west, 'west.registry.example'],
    [west, 'registry.example'],
  ] as const)
    assert.equal((await ask(region, host)).status, 200, host);
  assert.equal((await west.client.request('GET', '/routez')).status, 200);

  const off = await east.client.request('PUT', '/berth/v1/replication/west', {
    headers: { 'content-type': 'application/json', host: 'east.registry.example' },
    body: JSON.stringify({ isEndpointEnabled: false }),
  });
  assert.equal(off.status, 200, String(off.body));
  await world.until('west is not routed', async () => {
    const { status } = await west.client.request('GET', '/routez');
    return status === 503 ? undefined : String(status);
  });
  await world.until('east serves what it would have sent on', async () => {
    const { status } = await ask(east, 'registry.example');
    return status === 200 ? undefined : String(status);
  });
  // It stays in sync.
  const later = randomImage();
  await east.client.pushImage('team/app', later, 'later');
  await world.until('west has what was pushed', async () => {
    const { status } = await west.client.request('GET', `/acr/v1/team/app/_manifests/${later.manifest.digest}`);
    return status === 200 ? undefined : String(status);
  });

  await west.kill();
  await east.client.request('PUT', '/berth/v1/replication/west', {
    headers: { 'content-type': 'application/json', host: 'east.registry.example' },
    body: JSON.stringify({ isEndpointEnabled: true }),
  });
  await world.until('a region that is down gets nobody', async () => {
    const { status } = await ask(east, 'registry.example');
    return status === 200 ? undefined : String(status);
  });
});
