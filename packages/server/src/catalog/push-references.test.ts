import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { forEachEngine } from '@berth/testkit';
import { bytesOf, descriptor, digestOf, image, index, openTestCatalog } from './test-catalog.ts';

forEachEngine((engine) => {
  test('what a manifest refers to must be in the repository', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    await registry.pushBlob('other', 'layer');
    const missing = await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(image('config', ['layer'])) });
    assert.equal(missing.status, 404);
    assert.equal(missing.error, 'MANIFEST_BLOB_UNKNOWN');
    assert.deepEqual(missing.detail, { digest: digestOf('layer') });
    assert.match(missing.message, new RegExp(digestOf('layer')));
    const child = image('config');
    await registry.pushBlob('other', 'config');
    await registry.push('other', child);
    const missingChild = await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(index([child])) });
    assert.deepEqual([missingChild.error, missingChild.detail], ['MANIFEST_BLOB_UNKNOWN', { digest: digestOf(bytesOf(child)) }]);
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: 'v1' })).error, 'MANIFEST_UNKNOWN');
    assert.deepEqual((await registry.ask('list-repositories', {})).json, { repositories: ['other'] });
    await registry.push('a', child);
    await registry.push('a', index([child]), 'v1');
    // A manifest is no blob and a blob no manifest.
    await registry.pushBlob('a', bytesOf(image('x')));
    assert.equal(
      (await registry.ask('put-manifest', { name: 'a', reference: 'v2', body: bytesOf(index([image('x')])) })).error,
      'MANIFEST_BLOB_UNKNOWN',
    );
  });

  test('layers that are not distributable, missing subjects and empty indexes are taken', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const foreign = {
      ...descriptor('elsewhere', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'),
      urls: ['https://example.com/x'],
    };
    await registry.push('a', image('config', [], { layers: [foreign] }));
    await registry.push('a', index([]), 'empty');
    const subject = descriptor('never pushed', mediaTypes.ociManifest);
    const put = await registry.ask('put-manifest', {
      name: 'a',
      reference: 'sig',
      body: bytesOf(image('config', [], { subject })),
    });
    assert.equal(put.status, 201);
    assert.equal(put.headers['OCI-Subject'], subject.digest);
  });

  test('Docker images and lists, nested indexes, sha512 children, and many references', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const docker = image('config', [], { mediaType: mediaTypes.dockerManifest });
    await registry.push('a', docker);
    const list = index([docker], { mediaType: mediaTypes.dockerList });
    await registry.push('a', list);
    await registry.push('a', index([list]), 'nested');
    const child = bytesOf(image('config', [], { annotations: { a: 'b' } }));
    const bySha512 = digestOf(child, 'sha512');
    assert.equal((await registry.ask('put-manifest', { name: 'a', reference: bySha512, body: child })).status, 201);
    const descriptorOfChild = { mediaType: mediaTypes.ociManifest, digest: bySha512, size: child.length };
    await registry.push('a', { ...index([]), manifests: [descriptorOfChild] }, 'sha512');
    const children = Array.from({ length: 1100 }, (_, at) => image('config', [], { annotations: { at: String(at) } }));
    for (const each of children.slice(0, -1)) await registry.push('a', each);
    const wide = bytesOf(index(children));
    const refused = await registry.ask('put-manifest', { name: 'a', reference: 'wide', body: wide });
    assert.deepEqual(refused.detail, { digest: digestOf(bytesOf(children.at(-1) ?? {})) });
    await registry.push('a', children.at(-1) ?? {});
    await registry.push('a', wide, 'wide');
  });
});
