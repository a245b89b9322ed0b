import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { randomImage } from '@berth/testkit';
import { type RegionName } from './region-network.ts';
import { RegionWorld } from './region-world.ts';

interface Event {
  readonly region: RegionName;
  readonly action: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string;
  /** Whether the region lists the manifest as it is told of it. */
  readonly isComplete: boolean;
}

test('each region tells its own webhooks, once an image is complete there', async (t) => {
  const events: Event[] = [];
  const receiver = createServer(async (request: IncomingMessage, answer) => {
    const region = request.url?.slice(1) as RegionName;
    const { action, target } = JSON.parse(await text(request)) as {
      readonly action: string;
      readonly target: { readonly repository: string; readonly tag?: string; readonly digest: string };
    };
    const { repository, tag, digest } = target;
    const listed = await world.regions[region].client.request('GET', `/acr/v1/${repository}/_manifests/${digest}`);
    events.push({ region, action, repository, tag, digest, isComplete: listed.status === 200 });
    answer.end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  t.after(() => receiver.close());
  const address = receiver.address();
  assert.ok(address !== null && typeof address === 'object');

  await using world = await RegionWorld.open({ replicas: ['west'], settings: { outboundAllow: '127.0.0.1' } });
  using manager = await world.manager('east');
  for (const region of ['east', 'west'] as const) {
    const made = await manager.call('PUT', manager.provider(`registries/local/webhooks/${region}hook`), {
      location: region,
      properties: { serviceUri: `http://127.0.0.1:${address.port}/${region}`, actions: ['push', 'delete'] },
    });
    assert.ok(made.status < 300, String(made.body));
  }
  using westManager = await world.manager('west');
  await world.until('west knows its webhook', async () => {
    const { status } = await westManager.call('GET', westManager.provider('registries/local/webhooks/westhook'));
    return status === 200 ? undefined : String(status);
  });

  const image = randomImage({ layerBytes: 3_000_000 });
  const { digest } = image.manifest;
  await world.regions.east.client.pushImage('team/app', image, 'v1');
  await world.until('both are told of the push', async () => (events.length === 2 ? undefined : JSON.stringify(events)));
  assert.deepEqual(
    events.toSorted((a, b) => (a.region < b.region ? -1 : 1)),
    (['east', 'west'] as const).map((region) => ({
      region,
      action: 'push',
      repository: 'team/app',
      tag: 'v1',
      digest,
      isComplete: true,
    })),
  );
  await world.regions.west.client.request('DELETE', `/v2/team/app/manifests/${digest}`);
  await world.until('both are told of the deletion', async () => (events.length === 4 ? undefined : JSON.stringify(events)));
  assert.deepEqual(
    events
      .slice(2)
      .map(({ region }) => region)
      .toSorted(),
    ['east', 'west'],
  );
  assert.ok(events.slice(2).every((event) => event.action === 'delete' && event.digest === digest));
});
