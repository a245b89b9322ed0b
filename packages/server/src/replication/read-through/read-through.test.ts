import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine, randomImage, randomIndex } from '@berth/testkit';
import { openRegions, until } from '../copy/test-region.ts';

const times = process.env['BERTH_LONG'] === '1' ? 200 : 30;

forEachEngine((engine) => {
  test(`what was pushed elsewhere can be pulled at once, ${times} times without a miss`, async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    west.start();
    for (let round = 0; round < times; round += 1) {
      const image = randomImage({ layers: 1 });
      await east.push('a', image, [`v${round}`]);
      const manifest = await west.ask('get-manifest', { name: 'a', reference: `v${round}` });
      assert.equal(manifest.status, 200, String(manifest.error));
      assert.ok(manifest.bytes.equals(image.manifest.bytes));
      for (const { digest, bytes } of [image.config, ...image.layers]) {
        const blob = await west.ask('get-blob', { name: 'a', digest });
        assert.equal(blob.status, 200, String(blob.error));
        assert.ok(blob.bytes.equals(bytes));
      }
    }
  });

  test('before the copier has done anything, manifests and blobs are served from elsewhere', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const index = randomIndex({ images: 1 });
    const [image] = index.images;
    const [layer] = image?.layers ?? [];
    assert.ok(image !== undefined && layer !== undefined);
    await east.push('a', image);
    await east.pushManifest('a', index.manifest, ['v1']);
    const head = await west.ask('head-manifest', { name: 'a', reference: 'v1' });
    assert.deepEqual([head.status, head.digest, head.lengthBytes], [200, index.manifest.digest, index.manifest.bytes.length]);
    const child = await west.ask('get-manifest', { name: 'a', reference: image.manifest.digest });
    assert.ok(child.bytes.equals(image.manifest.bytes));
    const size = await west.ask('head-blob', { name: 'a', digest: layer.digest });
    assert.deepEqual([size.status, size.lengthBytes], [200, layer.bytes.length]);
    // Of a part the digest is not known: all of it comes.
    const blob = await west.ask('get-blob', { name: 'a', digest: layer.digest, headers: { range: 'bytes=5-9' } });
    assert.equal(blob.status, 200);
    assert.ok(blob.bytes.equals(layer.bytes));
    // It is listed once it is complete.
    assert.equal((await west.ask('list-tags', { name: 'a' })).status === 200, true);
    assert.equal(await west.has('a', index.manifest), false);
  });

  test('a tag that was moved elsewhere names what it was moved to, complete or not', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const [first, second] = [randomImage(), randomImage()];
    await west.hear(east, await east.push('a', first, ['v1']));
    west.start();
    await west.complete('a', first.manifest);
    await west.stop();
    const next = west.restarted();
    await next.hear(east, await east.push('a', second, ['v1']));
    assert.equal((await next.ask('get-manifest', { name: 'a', reference: 'v1' })).digest, second.manifest.digest);
    assert.equal((await next.ask('get-manifest', { name: 'a', reference: first.manifest.digest })).status, 200);
  });

  test('what was deleted here after it was set there is a miss, and stays one', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    const facts = await east.push('a', image, ['v1']);
    await west.hear(east, facts);
    await west.hearDeletion(east, 'a', image.manifest.digest);
    const byTag = await west.ask('get-manifest', { name: 'a', reference: 'v1' });
    const byDigest = await west.ask('get-manifest', { name: 'a', reference: image.manifest.digest });
    assert.deepEqual([byTag.status, byDigest.status], [404, 404]);
    const [layer] = image.layers;
    assert.equal((await west.ask('get-blob', { name: 'a', digest: layer?.digest ?? '' })).error, 'BLOB_UNKNOWN');
  });

  test('blobs that no manifest on its way names are not asked for', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    await east.push('secret', image, ['v1']);
    const other = randomImage();
    await west.hear(east, await east.push('a', other));
    let asked = 0;
    west.link('east').onBlob = () => void (asked += 1);
    const [layer] = image.layers;
    for (const name of ['a', 'secret', 'nowhere'])
      assert.equal((await west.ask('get-blob', { name, digest: layer?.digest ?? '' })).error, 'BLOB_UNKNOWN');
    assert.equal(asked, 0);
  });

  test('quarantine and read locks hold for what is on its way', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west'], { policies: { isQuarantineEnabled: true } });
    const image = randomImage();
    const facts = await east.push('a', image, ['v1']);
    await west.hear(east, facts);
    const permits = ({ action }: { readonly action?: string }): boolean => action !== 'quarantine_read';
    const pull = (reference: string) => west.ask('get-manifest', { name: 'a', reference, permits: permits as never });
    assert.equal((await pull('v1')).error, 'MANIFEST_UNKNOWN');
    assert.equal((await pull(image.manifest.digest)).error, 'REGISTRY_DISALLOWED_OPERATION');
    assert.equal((await west.ask('get-manifest', { name: 'a', reference: 'v1' })).status, 200);
    await west.hearAttributes(
      east,
      { kind: 'manifest', repository: 'a', name: image.manifest.digest },
      { quarantine_state: 'Passed' },
    );
    assert.equal((await pull('v1')).status, 200);
    await west.hearAttributes(east, { kind: 'tag', repository: 'a', name: 'v1' }, { read_enabled: 0 });
    assert.equal((await pull('v1')).error, 'REGISTRY_DISALLOWED_OPERATION');
    assert.equal((await pull(image.manifest.digest)).status, 200);
    await west.hearAttributes(east, { kind: 'repository', repository: 'a', name: '' }, { read_enabled: 0 });
    assert.equal((await pull(image.manifest.digest)).error, 'REGISTRY_DISALLOWED_OPERATION');
    const digest = image.layers[0]?.digest ?? '';
    assert.equal((await west.ask('get-blob', { name: 'a', digest })).error, 'REGISTRY_DISALLOWED_OPERATION');
  });

  test('attack 37: wrong bytes break the connection before the last of them', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage({ layers: 1, layerBytes: 3_000_000 });
    await west.hear(east, await east.push('a', image));
    west.link('east').isCorrupting = true;
    const digest = image.layers[0]?.digest ?? '';
    assert.equal((await west.ask('get-blob', { name: 'a', digest })).error, 'CONTENT_DAMAGED');
  });

  test('a region that breaks off is followed by another', async (t) => {
    const { east, north, west } = await openRegions(engine, t, ['east', 'north', 'west']);
    const image = randomImage({ layers: 1, layerBytes: 3_000_000 });
    await north.push('a', image);
    await west.hear(east, await east.push('a', image));
    west.link('east').breakAfterBytes = 1_234_567;
    const [layer] = image.layers;
    const blob = await west.ask('get-blob', { name: 'a', digest: layer?.digest ?? '' });
    assert.equal(blob.error, undefined);
    assert.ok(blob.bytes.equals(layer?.bytes ?? Buffer.alloc(0)));
  });

  test('with all regions away what is on its way is said to be, and what is unknown is a miss', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    await west.hear(east, await east.push('a', image));
    west.link('east').isUp = false;
    const digest = image.layers[0]?.digest ?? '';
    assert.equal((await west.ask('get-blob', { name: 'a', digest })).error, 'UNAVAILABLE');
    // Whoever may push sends it rather than wait.
    assert.equal((await west.ask('head-blob', { name: 'a', digest })).error, 'BLOB_UNKNOWN');
    assert.equal((await west.ask('get-manifest', { name: 'a', reference: 'unknown' })).error, 'MANIFEST_UNKNOWN');
  });

  test('a region that does not answer holds a miss up no longer than it may', async (t) => {
    const { north, west } = await openRegions(engine, t, ['east', 'north', 'west'], { askMs: 200 });
    west.link('east').onResolve = () => new Promise(() => undefined);
    assert.equal((await west.ask('get-manifest', { name: 'a', reference: 'v1' })).error, 'NAME_UNKNOWN');
    const image = randomImage();
    await north.push('a', image, ['v1']);
    assert.equal((await west.ask('get-manifest', { name: 'a', reference: 'v1' })).status, 200);
  });

  test('a push may name what is on its way: it is brought first', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const [base, child] = [randomImage(), randomImage()];
    await west.hear(east, await east.push('a', base));
    await west.hear(east, await east.push('a', child));
    const image = randomImage({
      layers: 0,
      fields: {
        config: JSON.parse(base.manifest.bytes.toString()).config,
        layers: JSON.parse(base.manifest.bytes.toString()).layers,
      },
    });
    const put = await west.ask('put-manifest', {
      name: 'a',
      reference: 'mine',
      headers: { 'content-type': image.manifest.mediaType },
      body: image.manifest.bytes,
    });
    assert.equal(put.status, 201, String(put.error));
    const { mediaType, digest, bytes } = child.manifest;
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [{ mediaType, digest, size: bytes.length }],
      }),
    );
    const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
    const putIndex = await west.ask('put-manifest', { name: 'a', reference: 'index', headers, body: index });
    assert.equal(putIndex.status, 201, String(putIndex.error));
    await west.requireImage('a', child);
    await until(async () => west.has('a', child.manifest));
  });
});
