import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest } from '@berth/oci';
import { forEachEngine, randomImage, randomIndex } from '@berth/testkit';
import { openRegions, until } from './test-region.ts';

const megabyte = 1024 * 1024;

forEachEngine((engine) => {
  test('what is pushed in one region becomes complete in another', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    west.start();
    const image = randomImage();
    await west.hear(east, await east.push('a/b', image, ['v1']));
    await west.complete('a/b', image.manifest);
    await west.requireImage('a/b', image);
    const tag = { registryId: west.registry.id, repository: 'a/b', reference: 'v1' };
    assert.equal(await west.catalog.find(tag), image.manifest.digest);
  });

  test('an index becomes complete after its images, in whatever order they are told', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    west.start();
    const index = randomIndex({ images: 3 });
    const told = [];
    for (const image of index.images) told.push(await east.push('a', image));
    await west.hear(east, await east.pushManifest('a', index.manifest, ['all']));
    for (const facts of told.toReversed()) await west.hear(east, facts);
    await west.complete('a', index.manifest);
    for (const image of index.images) await west.requireImage('a', image);
  });

  test('an image of an index that was never told is asked for', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    west.start();
    const index = randomIndex({ images: 2 });
    for (const image of index.images) await east.push('a', image);
    await west.hear(east, await east.pushManifest('a', index.manifest, ['all']));
    await west.complete('a', index.manifest);
  });

  test('an index whose turn comes again before it was given back is looked at again', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const index = randomIndex({ images: 1 });
    const [image] = index.images;
    assert.ok(image !== undefined);
    await east.push('a', image);
    const told = await east.pushManifest('a', index.manifest, ['all']);
    const asking = Promise.withResolvers<void>();
    const answering = Promise.withResolvers<void>();
    west.link('east').onResolve = (reference) => {
      if (reference !== image.manifest.digest) return undefined;
      asking.resolve();
      return answering.promise;
    };
    const copying = Promise.withResolvers<void>();
    west.link('east').onBlob = () => {
      copying.resolve();
      return new Promise(() => undefined);
    };
    west.start();
    await west.hear(east, told);
    await asking.promise;
    // It waits for its image now, and its turn comes again while that is asked for.
    west.pass(10_000);
    await until(() => west.isClaimed(index.manifest.digest));
    answering.resolve();
    await copying.promise;
    // Nobody will ever have the image: only another look finds out that the index has to do without.
    for (const region of [east, west]) await region.hearDeletion(east, 'a', image.manifest.digest);
    await west.complete('a', index.manifest);
  });

  test('a manifest whose bytes were not sent along is asked for', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    west.start();
    const image = randomImage();
    const facts = await east.push('a', image, ['v1']);
    const told = facts.map(({ kind, repository, name, set }) => ({ kind, repository, name, ...(set && { set }) }));
    await west.hear(east, told);
    await west.complete('a', image.manifest);
    await west.requireImage('a', image);
  });

  test('what the registry has in another repository is linked, not copied', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    west.start();
    const image = randomImage();
    const asked: string[] = [];
    await west.hear(east, await east.push('a', image));
    await west.complete('a', image.manifest);
    west.link('east').onBlob = ({ digest }) => void asked.push(digest);
    await west.hear(east, await east.push('b', image));
    await west.complete('b', image.manifest);
    await west.requireImage('b', image);
    assert.deepEqual(asked, []);
  });

  test('a blob that many manifests need is copied once', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const asked: string[] = [];
    west.link('east').onBlob = ({ digest }) => void asked.push(digest);
    const images = [1, 2, 3, 4].map((n) => randomImage({ seed: 7, fields: { annotations: { n: String(n) } } }));
    for (const image of images) await west.hear(east, await east.push('a', image));
    west.start();
    for (const image of images) await west.complete('a', image.manifest);
    assert.equal(asked.length, new Set(asked).size);
    assert.equal(asked.length, 3);
  });

  test('attack 40: what is on its way is not collected, however soon garbage is', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west'], { garbageDelayMs: 0 });
    west.start();
    const image = randomImage({ layers: 4, layerBytes: 10_000 });
    const facts = await east.push('a', image, ['v1']);
    let arrived = 0;
    const released = Promise.withResolvers<void>();
    // The last blob waits until the collector has looked at all others.
    west.link('east').onBlob = async () => {
      arrived += 1;
      if (arrived === 5) await released.promise;
    };
    await west.hear(east, facts);
    await until(async () => arrived === 5 && (await west.linked('a')) === 4);
    west.pass(1_000);
    await west.collect();
    assert.equal(await west.linked('a'), 4);
    released.resolve();
    await west.complete('a', image.manifest);
    west.pass(3_600_000);
    await west.collect();
    await west.requireImage('a', image);
  });

  test('a small image passes large ones, even with one copy at a time', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west'], { copies: 1, partBytes: 4 * megabyte });
    const large = randomImage({ layers: 1, layerBytes: 12 * megabyte });
    const small = randomImage({ layers: 1, layerBytes: 1000 });
    const [layer] = large.layers;
    const facts = { large: await east.push('large', large), small: await east.push('small', small) };
    const begun = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<void>();
    const starts: number[] = [];
    west.link('east').onBlob = async ({ digest, start }) => {
      if (digest !== layer?.digest) return;
      starts.push(start);
      // Others come once it has its turn, and it has no other before they are done.
      begun.resolve();
      if (start === 0) await heard.promise;
      else assert.ok(await west.has('small', small.manifest));
    };
    west.start();
    await west.hear(east, facts.large);
    await begun.promise;
    await west.hear(east, facts.small);
    heard.resolve();
    await west.complete('large', large.manifest);
    assert.deepEqual(starts.slice(0, 2), [0, 4 * megabyte]);
    await west.requireImage('large', large);
  });

  test('a locked repository and a full plan take what another region took', async (t) => {
    const { east, west: free } = await openRegions(engine, t, ['east', 'west']);
    const west = free.restarted({ limitBytes: 10 });
    const image = randomImage();
    const other = randomImage();
    const { id: registryId } = west.registry;
    const facts = { image: await east.push('a', image), other: await east.push('a', other) };
    west.start();
    await west.hear(east, facts.image);
    await west.complete('a', image.manifest);
    await west.lockRepository('a');
    await west.hear(east, facts.other);
    await west.complete('a', other.manifest);
    assert.ok(await west.blobs.has({ registryId, repository: 'a', digest: parseDigest(other.layers[0]?.digest ?? '') }));
  });

  test('copies give way to clients, but not what a client waits for', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west'], { busyRateBytes: 1, copies: 1 });
    const asked: string[] = [];
    west.link('east').onBlob = ({ digest }) => void asked.push(digest);
    west.copying.clientServed();
    west.start();
    const [slow, base] = [randomImage(), randomImage()];
    await west.hear(east, await east.push('a', slow));
    await until(async () => asked.length > 0);
    await west.hear(east, await east.push('a', base));
    const { config, layers } = JSON.parse(base.manifest.bytes.toString()) as { readonly config: object; readonly layers: object };
    const { manifest } = randomImage({ layers: 0, fields: { config, layers } });
    const headers = { 'content-type': manifest.mediaType };
    const put = await west.ask('put-manifest', { name: 'a', reference: 'mine', headers, body: manifest.bytes });
    assert.equal(put.status, 201, String(put.error));
    assert.ok(!(await west.has('a', slow.manifest)));
  });
});
