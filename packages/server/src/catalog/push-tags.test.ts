import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { bytesOf, digestOf, image, openTestCatalog } from './test-catalog.ts';

forEachEngine((engine) => {
  test('a push by digest sets all tags of its query at once and names them', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const body = bytesOf(image('config'));
    const tags = Array.from({ length: 50 }, (_, at) => `v${50 - at}`);
    for (const digest of [digestOf(body), digestOf(body, 'sha512')]) {
      const query = new URLSearchParams(tags.map((tag) => ['tag', tag]));
      const put = await registry.ask('put-manifest', { name: 'a', reference: digest, body, query });
      assert.equal(put.status, 201, put.message);
      assert.deepEqual(String(put.headers['OCI-Tag']).split(', '), tags);
      for (const tag of tags)
        assert.equal(
          (await registry.ask('head-manifest', { name: 'a', reference: tag })).headers['Docker-Content-Digest'],
          digest,
        );
    }
    const tooMany = await registry.ask('put-manifest', {
      name: 'a',
      reference: digestOf(body),
      body,
      query: new URLSearchParams([...tags, 'v51'].map((tag) => ['tag', tag])),
    });
    assert.deepEqual([tooMany.status, tooMany.error], [414, 'TOO_MANY_TAGS']);
    const invalid = await registry.ask('put-manifest', {
      name: 'a',
      reference: digestOf(body),
      body,
      query: new URLSearchParams('tag=new&tag=-bad'),
    });
    assert.equal(invalid.error, 'TAG_INVALID');
    assert.equal((await registry.ask('get-manifest', { name: 'a', reference: 'new' })).error, 'MANIFEST_UNKNOWN');
    const twice = await registry.ask('put-manifest', {
      name: 'a',
      reference: 'x',
      body,
      query: new URLSearchParams('tag=y&tag=y&tag=x'),
    });
    assert.equal(twice.headers['OCI-Tag'], 'y, x');
  });

  test('pushing again changes nothing but tags and the time of the last push', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const document = image('config');
    const digest = await registry.push('a', document, 'v1');
    const before = await registry.database.read.selectFrom('manifests').selectAll().execute();
    registry.clock.time += 1000;
    await registry.push('a', document, 'v2');
    await registry.push('a', document);
    const after = before.map((row) => ({ ...row, updated_at: registry.clock.time }));
    assert.deepEqual(await registry.database.read.selectFrom('manifests').selectAll().execute(), after);
    const other = await registry.push('a', image('config', [], { annotations: { a: 'b' } }), 'v1');
    assert.notEqual(other, digest);
    assert.equal((await registry.ask('head-manifest', { name: 'a', reference: 'v1' })).headers['Docker-Content-Digest'], other);
    assert.equal((await registry.ask('head-manifest', { name: 'a', reference: digest })).status, 200, 'untagged manifests stay');
  });

  test('attack 17: a tag is overwritten only under its own exact name', async (t) => {
    const registry = await openTestCatalog(engine, t);
    await registry.pushBlob('a', 'config');
    const first = await registry.push('a', image('config'), 'latest');
    const second = await registry.push(
      'a',
      image('config', [], { annotations: { at: '2' } }),
      'Latest',
      new URLSearchParams('tag=LATEST'),
    );
    const digestAt = async (reference: string) =>
      (await registry.ask('head-manifest', { name: 'a', reference })).headers['Docker-Content-Digest'];
    assert.deepEqual(await Promise.all(['latest', 'Latest', 'LATEST'].map(digestAt)), [first, second, second]);
    await registry.push('a', image('config', [], { annotations: { at: '2' } }), second, new URLSearchParams('tag=latest'));
    assert.equal(await digestAt('latest'), second);
    await registry.push('a', image('config'), 'latest');
    assert.equal(await digestAt('latest'), first);
  });
});
