import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Change, Fact } from '@berth/api';
import { digestOf, forEachEngine, randomBytesOf, randomImage } from '@berth/testkit';
import { type Peer, PeerError } from '../peers/model.ts';
import { authorizationOf, signal, startTold, whenReady } from './test-told-region.ts';

async function kindOf(asking: Promise<unknown>): Promise<string> {
  return asking.then(
    () => 'none',
    (error: unknown) => (error instanceof PeerError ? error.kind : String(error)),
  );
}

async function bytesOf(body: Readable): Promise<Buffer> {
  return Buffer.concat((await body.toArray()) as Buffer[]);
}

/** PostgreSQL shows what was written once all that ran at the time has ended, in other tests, too. */
async function changesUntil(
  peer: Peer,
  cursor: string,
  isEnough: (told: readonly Change[]) => boolean,
): Promise<readonly Change[]> {
  const told: Change[] = [];
  for (let after = cursor; !isEnough(told); ) {
    const page = await peer.changes('local', { after, limit: 100, waitSeconds: 30 }, signal);
    told.push(...page.changes);
    after = page.next;
  }
  return told;
}

const bytesIn = ({ content }: Fact): Buffer => Buffer.from(content?.bytes ?? '', 'base64');

forEachEngine((engine) => {
  test('a region learns what it is to hold, and reads it: snapshot, changes, manifests, blobs, settings, status', async (t) => {
    const { client, peer, replicate } = await startTold(engine, t);
    const [before, after] = [randomImage(), randomImage()];
    await client.pushImage('team/app', before, 'v1');
    assert.deepEqual((await peer.facts(signal)).registries, []);
    await replicate('east');
    const { registries, region } = await peer.facts(signal);
    assert.equal(region, 'west');
    assert.deepEqual(
      registries.map(({ name, home, regions }) => [name, home, regions.map((each) => each.name)]),
      [['local', 'west', ['west', 'east']]],
    );

    const snapshot = await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    assert.equal(snapshot.next, null);
    assert.equal(snapshot.total, snapshot.facts.length);
    const manifest = snapshot.facts.find(({ kind, name }) => kind === 'manifest' && name === before.manifest.digest);
    assert.ok(manifest !== undefined && bytesIn(manifest).equals(before.manifest.bytes));
    assert.equal(snapshot.facts.find(({ kind }) => kind === 'tag')?.set?.digest, before.manifest.digest);

    const waiting = changesUntil(peer, snapshot.cursor, (told) => told.some(({ action }) => action === 'tag'));
    await client.pushImage('team/app', after, 'v1');
    const told = await waiting;
    const pushed = told.find(({ action, fact }) => action === 'push' && fact.name === after.manifest.digest);
    assert.ok(pushed !== undefined && bytesIn(pushed.fact).equals(after.manifest.bytes));
    assert.ok(told.some(({ action, fact }) => action === 'tag' && fact.set?.digest === after.manifest.digest));

    const wanted = { repository: 'team/app', reference: 'v1' };
    const [tag, resolved] = (await peer.resolve('local', wanted, signal)) ?? [];
    assert.deepEqual([tag?.kind, tag?.set?.digest, resolved?.name], ['tag', after.manifest.digest, after.manifest.digest]);
    assert.ok(resolved !== undefined && bytesIn(resolved).equals(after.manifest.bytes));
    const byDigest = await peer.resolve('local', { ...wanted, reference: before.manifest.digest }, signal);
    assert.deepEqual(
      byDigest?.map(({ name }) => name),
      [before.manifest.digest],
    );
    for (const reference of ['v2', digestOf(Buffer.from('nothing'))])
      assert.equal(await peer.resolve('local', { ...wanted, reference }, signal), undefined);
    assert.equal(await peer.resolve('local', { repository: 'nobody', reference: 'v1' }, signal), undefined);

    const [layer] = after.layers;
    assert.ok(layer !== undefined);
    const blob = await peer.blob('local', { repository: 'team/app', digest: layer.digest }, signal);
    assert.ok(blob !== undefined && (await bytesOf(blob.body)).equals(layer.bytes));
    const range = { start: 3, end: layer.bytes.length - 2 };
    const part = await peer.blob('local', { repository: 'team/app', digest: layer.digest, ...range }, signal);
    assert.equal(part?.sizeBytes, layer.bytes.length);
    assert.ok((await bytesOf(part.body)).equals(layer.bytes.subarray(range.start, range.end)));
    const missing = digestOf(randomBytesOf(10));
    assert.equal(await peer.blob('local', { repository: 'team/app', digest: missing }, signal), undefined);

    const { version, json } = await peer.settings('local', signal);
    assert.equal(version, registries[0]?.settingsVersion);
    assert.equal(typeof JSON.parse(json), 'object');
    const status = await peer.status('local', signal);
    assert.deepEqual([status.region, status.isHome], ['west', true]);
    // East, which is nobody, is read from as soon as this process has seen that there is such a region.
    assert.match(status.state, /^(?:ready|syncing)$/);
  });

  test('what the asking region did itself is not told', async (t) => {
    const { client, peer, replicate } = await startTold(engine, t);
    await replicate('east');
    const { cursor } = await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    await client.pushImage('app', randomImage(), 'v1');
    const from = { after: cursor, limit: 100, waitSeconds: 30 };
    const told = await peer.changes('local', from, signal);
    assert.ok(told.changes.length > 0);
    assert.equal(told.behind, 0);
    // Here west itself stands for who asks, and did it all.
    const path = `/berth/v1/regions/registries/local/changes?after=${cursor}&except=west`;
    const authorization = await authorizationOf('east');
    const { changes } = JSON.parse((await client.request('GET', path, { authorization })).body.toString()) as {
      changes: unknown[];
    };
    assert.deepEqual(changes, []);
  });

  test('pages end where their manifests become too many bytes, and nothing is lost between them', async (t) => {
    const { client, peer, replicate } = await startTold(engine, t);
    await replicate('east');
    const first = await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    const pushed: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      const manifest = bigManifest(200_000, count);
      const digest = digestOf(manifest);
      const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
      const answer = await client.request('PUT', `/v2/big/manifests/${digest}`, { headers, body: manifest });
      assert.equal(answer.status, 201, answer.body.toString());
      pushed.push(digest);
    }
    const seen: string[] = [];
    let pages = 0;
    for (let after = first.cursor; seen.length < pushed.length; pages += 1) {
      const page = await peer.changes('local', { after, limit: 1_000, waitSeconds: 30 }, signal);
      after = page.next;
      for (const { fact } of page.changes) {
        assert.equal(digestOf(bytesIn(fact)), fact.name);
        seen.push(fact.name);
      }
    }
    assert.deepEqual(seen, pushed);
    assert.ok(pages > 1, `${pages} pages`);
    const listed: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await peer.snapshot('local', { after }, signal);
      for (const fact of page.facts) if (fact.kind === 'manifest') listed.push(digestOf(bytesIn(fact)));
      if (page.next === null) break;
      after = page.next;
    }
    assert.deepEqual(listed, pushed.toSorted());
  });

  test('attack 39: a registry that is not for a region, a wrong key, a wrong name and a wrong clock are refused with the reason', async (t) => {
    const { client, peer, as, replicate } = await startTold(engine, t, { maxClockSkew: '1m' });
    await client.pushImage('app', randomImage(), 'v1');
    await replicate('east');
    const from = { after: '', limit: 1, waitSeconds: 0 };
    const north = as('north');
    const kinds = await Promise.all(
      [
        peer.changes('other', from, signal),
        north.changes('local', from, signal),
        north.snapshot('local', { after: undefined }, signal),
        north.resolve('local', { repository: 'app', reference: 'v1' }, signal),
        north.settings('local', signal),
        north.status('local', signal),
        north.blob('local', { repository: 'app', digest: digestOf(Buffer.from('x')) }, signal),
      ].map(kindOf),
    );
    assert.deepEqual([...new Set(kinds)], ['not-here']);
    assert.deepEqual((await north.facts(signal)).registries, []);
    assert.equal(
      await kindOf(as('east', { key: 'another key of the regions and long enough' }).facts(signal)),
      'unauthenticated',
    );
    assert.equal(await kindOf(as('east', { to: 'south' }).facts(signal)), 'unauthenticated');
    assert.equal(await kindOf(as('east', { clock: { now: () => Date.now() - 20 * 60_000 } }).facts(signal)), 'clock');
    assert.equal(await kindOf(as('east', { clock: { now: () => Date.now() + 20 * 60_000 } }).facts(signal)), 'clock');
  });

  test('keys are changed one region after the other, and settings open on both sides all the time', async (t) => {
    const [old, fresh] = ['the old key of the regions is this one', 'the new key of the regions is this one'];
    const { as, replicate } = await startTold(engine, t, { peerKey: `${fresh},${old}` });
    await replicate('east');
    for (const key of [old, fresh, `${fresh},${old}`, `${old},${fresh}`])
      assert.ok((await as('east', { key }).settings('local', signal)).json.length > 2);
    const { as: afterwards, replicate: again } = await startTold(engine, t, { peerKey: fresh });
    await again('east');
    assert.equal(await kindOf(afterwards('east', { key: old }).facts(signal)), 'unauthenticated');
    // The other one is tried by itself.
    assert.ok((await afterwards('east', { key: `${old},${fresh}` }).settings('local', signal)).json.length > 2);
  });

  test('over TLS, by the authority of the other region alone', async (t) => {
    const { west, as } = await startTold(engine, t, { tls: 'auto' });
    const authorities = await readFile(join(west.dataDir, 'tls', 'authority.pem'), 'utf8');
    assert.equal((await as('east', { authorities }).facts(signal)).region, 'west');
    assert.equal(await kindOf(as('east').facts(signal)), 'unreachable');
  });

  test('cursors that the log does not reach back to say so', async (t) => {
    const { client, peer, replicate } = await startTold(engine, t);
    await replicate('east');
    const { cursor } = await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    await client.pushImage('app', randomImage(), 'v1');
    for (const after of ['', 'x', '1.2.3.4', '9'.repeat(30), `9${cursor}`])
      assert.equal(await kindOf(peer.changes('local', { after, limit: 1, waitSeconds: 0 }, signal)), 'cursor-unknown', after);
  });

  test('attack 47: neither network rules nor counted calls of a registry keep regions out', async (t) => {
    const { client, manager, peer, replicate } = await startTold(engine, t, {
      rateLimits: 'plan',
      privateNetworks: '192.0.2.0/24',
    });
    await client.pushImage('app', randomImage(), 'v1');
    await replicate('east');
    await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    const shut = { properties: { publicNetworkAccess: 'Disabled' } };
    assert.equal((await manager.call('PATCH', manager.provider('registries/local'), shut)).status, 200);
    assert.equal((await client.request('GET', '/v2/app/tags/list')).status, 403);
    assert.equal((await peer.facts(signal)).registries.length, 1);
    assert.ok(((await peer.resolve('local', { repository: 'app', reference: 'v1' }, signal)) ?? []).length > 0);
  });

  test('locks keep clients out, and not regions, which hold them, too', async (t) => {
    const { client, peer, replicate } = await startTold(engine, t);
    const image = randomImage();
    await client.pushImage('app', image, 'v1');
    await replicate('east');
    await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    const body = JSON.stringify({ readEnabled: false });
    assert.equal((await client.request('PATCH', '/acr/v1/app', { body })).status, 200);
    assert.equal((await client.request('GET', '/v2/app/manifests/v1')).status, 405);
    assert.equal((await peer.resolve('local', { repository: 'app', reference: 'v1' }, signal))?.length, 2);
    const [layer] = image.layers;
    const blob = await peer.blob('local', { repository: 'app', digest: layer?.digest ?? '' }, signal);
    assert.ok(blob !== undefined && (await bytesOf(blob.body)).equals(layer?.bytes ?? Buffer.alloc(0)));
  });

  test('a server that stops does not wait for regions that wait', async (t) => {
    const { west, peer, replicate } = await startTold(engine, t);
    await replicate('east');
    const { cursor } = await whenReady(() => peer.snapshot('local', { after: undefined }, signal));
    const waiting = kindOf(peer.changes('local', { after: cursor, limit: 1, waitSeconds: 60 }, signal));
    await peer.facts(signal);
    const began = performance.now();
    await west.stop();
    assert.ok(performance.now() - began < 10_000);
    assert.ok(['none', 'unreachable', 'failed'].includes(await waiting));
  });
});

/** An index without images whose annotations make it this large. */
function bigManifest(sizeBytes: number, number: number): Buffer {
  const annotations = Object.fromEntries(
    Array.from({ length: Math.ceil(sizeBytes / 1_000) }, (_, index) => [`org.example.${number}.${index}`, 'x'.repeat(960)]),
  );
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [], annotations }),
  );
}
