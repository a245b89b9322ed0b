import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { forEachEngine } from '@berth/testkit';
import { bytesOf, digestOf, garbageDelayMs, image, index, openTestCatalog } from './test-catalog.ts';

forEachEngine((engine) => {
  test('attack 11: the stored type is served whatever Accept says', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    await registry.push('a', image('config'), 'v1');
    const accepts = [
      undefined,
      '*/*',
      'application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json',
      Array.from({ length: 100 }, (_, at) => `application/vnd.example.${at}+json`).join(', '),
      'text/html',
      ';;;q=,',
    ];
    for (const accept of accepts) {
      const headers = accept === undefined ? {} : { accept };
      for (const operation of ['get-manifest', 'head-manifest']) {
        const answer = await registry.ask(operation, { name: 'a', reference: 'v1', headers });
        assert.deepEqual([answer.status, answer.headers['Content-Type']], [200, mediaTypes.ociManifest], `Accept: ${accept}`);
      }
    }
  });

  test('a client that has the manifest is told so, by tag and by digest', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'), 'v1');
    for (const operation of ['get-manifest', 'head-manifest']) {
      for (const known of [`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
        const answer = await registry.ask(operation, { name: 'a', reference: 'v1', headers: { 'if-none-match': known } });
        assert.equal(answer.status, 304);
        assert.equal(answer.bytes.length, 0);
        assert.equal(answer.headers['ETag'], `"${digest}"`);
      }
      const other = await registry.ask(operation, {
        name: 'a',
        reference: 'v1',
        headers: { 'if-none-match': `"${digestOf('x')}"` },
      });
      assert.equal(other.status, 200);
    }
  });

  test('what is not there is said in the words of ACR', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const digest = digestOf('x');
    for (const operation of ['get-manifest', 'head-manifest', 'delete-manifest']) {
      const never = await registry.ask(operation, { name: 'never/used', reference: 'v1' });
      assert.deepEqual([never.status, never.error, never.detail], [404, 'NAME_UNKNOWN', { name: 'never/used' }]);
    }
    await registry.pushBlob('a', 'config');
    for (const operation of ['get-manifest', 'head-manifest', 'delete-manifest']) {
      const byTag = await registry.ask(operation, { name: 'a', reference: 'v1' });
      assert.deepEqual([byTag.status, byTag.error, byTag.detail], [404, 'MANIFEST_UNKNOWN', { Tag: 'v1' }]);
      const byDigest = await registry.ask(operation, { name: 'a', reference: digest });
      assert.deepEqual(
        [byDigest.status, byDigest.error, byDigest.detail],
        [404, 'MANIFEST_UNKNOWN', { Name: 'a', Revision: digest }],
      );
    }
  });

  test('attack 18: deleting by tag takes the tag alone', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'), 'v1', new URLSearchParams('tag=v2'));
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: 'v1' })).status, 202);
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: 'v1' })).status, 404);
    for (const reference of ['v2', digest])
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference })).status, 200);
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: 'v1' })).error, 'MANIFEST_UNKNOWN');
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: 'V2' })).error, 'MANIFEST_UNKNOWN');
  });

  test('attack 18: deleting by digest takes the manifest with all its tags, and no other', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'), 'v1', new URLSearchParams('tag=v2'));
    const other = await registry.push('a', image('config', [], { annotations: { a: 'b' } }), 'v3');
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: digest })).status, 202);
    for (const reference of ['v1', 'v2', digest])
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference })).error, 'MANIFEST_UNKNOWN');
    assert.deepEqual((await registry.ask('list-tags', { name: 'a' })).json, { name: 'a', tags: ['v3'] });
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: other })).status, 200);
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: digest })).status, 404);
  });

  test('attack 18: a blob that a manifest needs cannot be deleted before it', async (t) => {
    const registry = await openTestCatalog(engine, t);
    const blob = await registry.pushBlob('a', 'config');
    const digest = await registry.push('a', image('config'), 'v1');
    assert.equal((await registry.ask('delete-blob', { name: 'a', digest: blob })).error, 'BLOB_IN_USE');
    await registry.ask('delete-manifest', { name: 'a', reference: digest });
    assert.equal((await registry.ask('delete-blob', { name: 'a', digest: blob })).status, 202);
    assert.equal(
      (await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(image('config')) })).error,
      'MANIFEST_BLOB_UNKNOWN',
    );
  });

  test('an index outlives the manifests that it lists', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const child = await registry.push('a', image('config'));
    const parent = await registry.push('a', index([image('config')]), 'v1');
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: child })).status, 202);
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: parent })).status, 200);
    assert.equal((await registry.ask('delete-manifest', { name: 'a', reference: parent })).status, 202);
  });

  test('attack 26: what is deleted in one repository stays unreadable there, with every cache warm', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const name of ['a', 'b']) {
      await registry.pushBlob(name, 'config');
      await registry.push(name, image('config'), 'v1');
      for (const reference of ['v1', digestOf(bytesOf(image('config')))])
        assert.equal((await registry.ask('get-manifest', { name, reference })).status, 200);
    }
    const digest = digestOf(bytesOf(image('config')));
    await registry.ask('delete-manifest', { name: 'a', reference: digest });
    for (const operation of ['get-manifest', 'head-manifest']) {
      for (const reference of ['v1', digest]) {
        for (const headers of [{}, { 'if-none-match': `"${digest}"` }]) {
          assert.equal((await registry.ask(operation, { name: 'a', reference, headers })).status, 404);
          assert.equal((await registry.ask(operation, { name: 'b', reference })).status, 200);
        }
      }
    }
    await registry.ask('delete-blob', { name: 'a', digest: digestOf('config') });
    assert.equal((await registry.ask('get-blob', { name: 'a', digest: digestOf('config') })).status, 404);
    assert.equal((await registry.ask('get-blob', { name: 'b', digest: digestOf('config') })).status, 200);
  });

  test('attack 40: blobs stay while a manifest needs them, and go a day after the last one went', async (t) => {
    const registry = await openTestCatalog(engine, t);
    for (const content of ['config', 'layer']) await registry.pushBlob('a', content);
    registry.clock.time += garbageDelayMs - 1;
    await registry.collect();
    // Uploaded nearly a day ago, and still there for a slow client's manifest.
    const both = await registry.push('a', image('config', ['layer']));
    const one = await registry.push('a', image('config'));
    registry.clock.time += 10 * garbageDelayMs;
    await registry.collect();
    const isThere = async (content: string) =>
      (await registry.ask('head-blob', { name: 'a', digest: digestOf(content) })).status === 200;
    assert.deepEqual([await isThere('config'), await isThere('layer')], [true, true]);
    await registry.ask('delete-manifest', { name: 'a', reference: both });
    await registry.collect();
    assert.deepEqual([await isThere('config'), await isThere('layer')], [true, true]);
    registry.clock.time += garbageDelayMs;
    await registry.collect();
    assert.deepEqual([await isThere('config'), await isThere('layer')], [true, false]);
    await registry.ask('delete-manifest', { name: 'a', reference: one });
    registry.clock.time += garbageDelayMs;
    await registry.collect();
    assert.deepEqual([await isThere('config'), await isThere('layer')], [false, false]);
    assert.deepEqual(await registry.database.read.selectFrom('parts').select('name').execute(), []);
  });

  test('attack 40: a manifest of blobs that were collected is refused, and taken once they are pushed again', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    registry.clock.time += garbageDelayMs + 3_600_000;
    await registry.collect();
    assert.equal(
      (await registry.ask('put-manifest', { name: 'a', reference: 'v1', body: bytesOf(image('config')) })).error,
      'MANIFEST_BLOB_UNKNOWN',
    );
    await registry.pushBlob('a', 'config');
    await registry.push('a', image('config'), 'v1');
  });

  test('attack 40: children of an index and referrers of a deleted subject stay', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const child = await registry.push('a', image('config'));
    await registry.push('a', index([image('config')]), 'v1');
    const subject = { mediaType: mediaTypes.ociManifest, digest: child, size: bytesOf(image('config')).length };
    const signature = await registry.push('a', image('config', [], { subject }));
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    for (const reference of [child, signature, 'v1'])
      assert.equal((await registry.ask('get-manifest', { name: 'a', reference })).status, 200);
    await registry.ask('delete-manifest', { name: 'a', reference: child });
    registry.clock.time += 2 * garbageDelayMs;
    await registry.collect();
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: signature })).status, 200);
    const listed = (await registry.ask('list-referrers', { name: 'a', digest: child })).json as {
      manifests: { digest: string }[];
    };
    assert.deepEqual(
      listed.manifests.map((each) => each.digest),
      [signature],
    );
  });
});
