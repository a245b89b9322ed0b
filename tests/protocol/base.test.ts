import assert from 'node:assert/strict';
import { digestOf, randomBytesOf } from '@berth/testkit';
import { assertError, assertStatus, protocolTests } from './protocol-tests.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';

protocolTests('an empty registry', (check) => {
  check('end-1: answers the ping with the version of the API', async ({ client }) => {
    for (const path of ['/v2/', '/v2']) {
      const answer = await client.request('GET', path);
      assertStatus(answer, 200);
      assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
    }
    assertStatus(await client.request('HEAD', '/v2/'), 200);
  });

  check('end-8: has no tags for a repository that was never used', async ({ client, newRepository }) => {
    assertError(await client.request('GET', `/v2/${newRepository()}/tags/list`), 404, 'NAME_UNKNOWN');
  });

  check(
    'end-12: has an empty list of referrers, not an error, for a repository that was never used',
    async ({ client, newRepository }) => {
      for (const algorithm of ['sha256', 'sha512'] as const) {
        const subject = digestOf(randomBytesOf(8), algorithm);
        const answer = await client.request('GET', `/v2/${newRepository()}/referrers/${subject}`);
        assertStatus(answer, 200);
        assert.equal(answer.headers['content-type'], indexType);
        assert.deepEqual(JSON.parse(answer.body.toString()), { schemaVersion: 2, mediaType: indexType, manifests: [] });
      }
    },
  );

  check('end-2, end-3: knows no blob and no manifest, by GET and by HEAD', async ({ client, newRepository }) => {
    const repository = newRepository();
    const digest = digestOf(randomBytesOf(8));
    assertError(await client.request('GET', `/v2/${repository}/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
    assertError(await client.request('GET', `/v2/${repository}/manifests/${digest}`), 404, 'NAME_UNKNOWN');
    assertError(await client.request('GET', `/v2/${repository}/manifests/latest`), 404, 'NAME_UNKNOWN');
    for (const path of [`blobs/${digest}`, `manifests/${digest}`, 'manifests/latest']) {
      const answer = await client.request('HEAD', `/v2/${repository}/${path}`);
      assertStatus(answer, 404);
      assert.equal(answer.body.length, 0);
    }
  });

  check('end-9, end-10: has nothing to delete', async ({ client, newRepository }) => {
    const repository = newRepository();
    const digest = digestOf(randomBytesOf(8));
    assertError(await client.request('DELETE', `/v2/${repository}/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
    assertError(await client.request('DELETE', `/v2/${repository}/manifests/${digest}`), 404, 'NAME_UNKNOWN');
    assertError(await client.request('DELETE', `/v2/${repository}/manifests/latest`), 404, 'NAME_UNKNOWN');
  });

  check(
    'what is not in the API is 404, and a method that a path does not take is 405 and told which it does',
    async ({ client, newRepository }) => {
      const repository = newRepository();
      for (const path of ['/v2/nothing', `/v2/${repository}/unknown/x`, '/v3/', '/v2/_oci/ext/discover']) {
        const answer = await client.request('GET', path);
        assertStatus(answer, 404);
        assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
      }
      for (const [method, path] of [
        ['DELETE', `/v2/${repository}/tags/list`],
        ['POST', `/v2/${repository}/manifests/latest`],
        ['PUT', '/v2/'],
        ['PATCH', `/v2/${repository}/manifests/latest`],
      ] as const) {
        const answer = await client.request(method, path);
        assertError(answer, 405, 'UNSUPPORTED');
        assert.match(answer.headers.allow ?? '', /GET|POST/);
      }
    },
  );

  check('every answer carries a request id, and takes that of the client if it is harmless', async ({ client }) => {
    const first = await client.request('GET', '/v2/');
    const second = await client.request('GET', '/v2/');
    assert.ok(first.headers['x-request-id']);
    assert.notEqual(first.headers['x-request-id'], second.headers['x-request-id']);
    const given = await client.request('GET', '/v2/', { headers: { 'x-request-id': '12345678-aaaa' } });
    assert.equal(given.headers['x-request-id'], '12345678-aaaa');
    const long = await client.request('GET', '/v2/', { headers: { 'x-request-id': 'x'.repeat(500) } });
    assert.notEqual(long.headers['x-request-id'], 'x'.repeat(500));
  });
});
