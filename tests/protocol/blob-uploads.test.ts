import assert from 'node:assert/strict';
import { type Content, contentOf, digestOf, randomBytesOf } from '@berth/testkit';
import { type DefineCheck, assertError, assertStatus, locationOf, protocolTests } from './protocol-tests.ts';
import { type Upload, type UploadOptions, assertStored, chunked, postOnly, postPut, start, streamed } from './uploads.ts';

type Algorithm = 'sha256' | 'sha512';

const large = 3 * 1024 - 5;
const ways: readonly (readonly [string, Upload, number, UploadOptions])[] = [
  ['post only', postOnly, 512, {}],
  ['post and put', postPut, 512, {}],
  ['one chunk', chunked, 512, {}],
  ['streamed', streamed, 512, {}],
  ['several chunks', chunked, large, {}],
  ['several chunks, the last in the put', chunked, large, { isLastInPut: true }],
  ['chunks out of order', chunked, large, { isOutOfOrder: true }],
  ['chunks out of order, the last in the put', chunked, large, { isOutOfOrder: true, isLastInPut: true }],
  ['many small chunks', chunked, 1000, { chunkBytes: 97 }],
];

const newBlob = (algorithm: Algorithm, size = 512): Content =>
  contentOf('application/octet-stream', randomBytesOf(size), algorithm);

function checkAlgorithm(check: DefineCheck, algorithm: Algorithm): void {
  for (const [name, upload, size, options] of ways) {
    check(`${algorithm}, ${name}: stored, served, deleted, gone`, async (protocol) => {
      const repository = protocol.newRepository();
      const blob = newBlob(algorithm, size);
      const ended = await upload(protocol, repository, blob, options);
      assertStatus(ended, 201);
      assert.equal(ended.headers['docker-content-digest'], blob.digest);
      await assertStored(protocol, repository, blob, locationOf(ended));
      assertStatus(await protocol.client.request('DELETE', `/v2/${repository}/blobs/${blob.digest}`), 202);
      assertStatus(await protocol.client.request('HEAD', `/v2/${repository}/blobs/${blob.digest}`), 404);
      assertError(await protocol.client.request('DELETE', `/v2/${repository}/blobs/${blob.digest}`), 404, 'BLOB_UNKNOWN');
    });

    check(`${algorithm}, ${name}: content that does not have the digest is refused and leaves no trace`, async (protocol) => {
      const repository = protocol.newRepository();
      const blob = newBlob(algorithm, size);
      const claim = digestOf(Buffer.concat([blob.bytes, Buffer.from('oh no')]), algorithm);
      assertError(await upload(protocol, repository, blob, { ...options, claim }), 400, 'DIGEST_INVALID');
      for (const digest of [claim, blob.digest])
        assertStatus(await protocol.client.request('HEAD', `/v2/${repository}/blobs/${digest}`), 404);
    });

    for (const [what, bytes] of [
      ['the empty blob', ''],
      ['the empty JSON object', '{}'],
    ] as const) {
      check(`${algorithm}, ${name}: ${what}`, async (protocol) => {
        const repository = protocol.newRepository();
        const blob = contentOf('application/octet-stream', Buffer.from(bytes), algorithm);
        assertStatus(await upload(protocol, repository, blob, options), 201);
        await assertStored(protocol, repository, blob);
      });
    }
  }

  check(`${algorithm}: a blob mounts from a named repository, from any, and not when it is missing there`, async (protocol) => {
    const { client, newRepository } = protocol;
    const [source, target, elsewhere] = [newRepository(), newRepository(), newRepository()];
    const blob = newBlob(algorithm);
    const uploads = (repository: string, from: string): string => `/v2/${repository}/blobs/uploads/?mount=${blob.digest}${from}`;
    const missing = await client.request('POST', uploads(target, `&from=${source}`));
    assertStatus(missing, 202);
    const ended = await client.request('PUT', `${locationOf(missing)}?digest=${blob.digest}`, { body: blob.bytes });
    assertStatus(ended, 201);
    assertStatus(await client.request('DELETE', `/v2/${target}/blobs/${blob.digest}`), 202);
    await client.pushBlob(source, blob.bytes, algorithm);
    const mounted = await client.request('POST', uploads(target, `&from=${source}`));
    assertStatus(mounted, 201);
    assert.equal(mounted.headers['docker-content-digest'], blob.digest);
    await assertStored(protocol, target, blob, locationOf(mounted));
    assertStatus(await client.request('DELETE', `/v2/${target}/blobs/${blob.digest}`), 202);
    await assertStored(protocol, source, blob);
    // Without a source only a credential that may read the blob somewhere else gets it for nothing.
    const anonymous = await client.request('POST', uploads(elsewhere, ''), { authorization: client.basic });
    assertStatus(anonymous, 201);
    await assertStored(protocol, elsewhere, blob, locationOf(anonymous));
  });

  check(`${algorithm}: an upload may announce its algorithm, and end with another`, async (protocol) => {
    const repository = protocol.newRepository();
    for (const [way, options] of [
      [postPut, {}],
      [chunked, {}],
      [chunked, { isLastInPut: true }],
    ] as const) {
      for (const announced of ['sha256', 'sha512']) {
        const blob = newBlob(algorithm, large);
        assertStatus(await way(protocol, repository, blob, { ...options, query: `?digest-algorithm=${announced}` }), 201);
        await assertStored(protocol, repository, blob);
      }
    }
  });
}

protocolTests('uploads of blobs', (check) => {
  for (const algorithm of ['sha256', 'sha512'] as const) checkAlgorithm(check, algorithm);

  check('end-4c: an algorithm that nobody can compute is refused at the beginning', async ({ client, newRepository }) => {
    for (const algorithm of ['md5', 'sha384', 'SHA256', '', 'sha256,sha512']) {
      const answer = await client.request('POST', `/v2/${newRepository()}/blobs/uploads/?digest-algorithm=${algorithm}`);
      assertError(answer, 400, 'DIGEST_INVALID');
    }
  });

  check('end-14: a cancelled upload is gone', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const session = await start(protocol, repository);
    assertStatus(await client.request('PATCH', session, { body: 'some bytes' }), 202);
    assertStatus(await client.request('DELETE', session), 204);
    for (const method of ['GET', 'PATCH', 'DELETE'])
      assertError(await client.request(method, session), 404, 'BLOB_UPLOAD_UNKNOWN');
    const digest = digestOf(Buffer.from('some bytes'));
    assertError(await client.request('PUT', `${session}?digest=${digest}`), 404, 'BLOB_UPLOAD_UNKNOWN');
    assertStatus(await client.request('HEAD', `/v2/${repository}/blobs/${digest}`), 404);
  });

  check('end-13: the state of an upload tells what is kept', async (protocol) => {
    const session = await start(protocol, protocol.newRepository());
    const states = ['0-0', '0-3', '0-9'];
    for (const body of ['', 'abcd', 'efghij']) {
      const patched = await protocol.client.request('PATCH', session, { body });
      assertStatus(patched, 202);
      const state = await protocol.client.request('GET', session);
      assertStatus(state, 204);
      const expected = states.shift();
      assert.deepEqual([patched.headers.range, state.headers.range, locationOf(state)], [expected, expected, session]);
      assert.ok(state.headers['docker-upload-uuid']);
    }
  });

  check('chunks without Content-Range, and empty ones, append', async (protocol) => {
    const repository = protocol.newRepository();
    const session = await start(protocol, repository);
    for (const body of ['one ', '', 'two ', '', 'three'])
      assertStatus(await protocol.client.request('PATCH', session, { body }), 202);
    const blob = contentOf('application/octet-stream', Buffer.from('one two three four'));
    assertStatus(await protocol.client.request('PUT', `${session}?digest=${blob.digest}`, { body: ' four' }), 201);
    await assertStored(protocol, repository, blob);
  });

  check('an upload that ended is gone, and a refused digest ends it or lets the client say another', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const session = await start(protocol, repository);
    const digest = digestOf(Buffer.from('content'));
    assertStatus(await client.request('PUT', `${session}?digest=${digest}`, { body: 'content' }), 201);
    assertError(await client.request('GET', session), 404, 'BLOB_UPLOAD_UNKNOWN');
    assertError(await client.request('PUT', `${session}?digest=${digest}`, { body: 'content' }), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  check('a PUT without digest is refused and told what is missing', async (protocol) => {
    const session = await start(protocol, protocol.newRepository());
    assertError(await protocol.client.request('PUT', session, { body: 'content' }), 400, 'DIGEST_INVALID');
    assertError(await protocol.client.request('PUT', `${session}?digest=`, { body: 'content' }), 400, 'DIGEST_INVALID');
  });

  check('a session that does not exist, or has no possible name, is unknown', async ({ client, newRepository }) => {
    const repository = newRepository();
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', '%00', '..%2f..', 'a'.repeat(300)]) {
      assertStatus(await client.request('GET', `/v2/${repository}/blobs/uploads/${id}`), 404, 400);
      assertStatus(await client.request('PATCH', `/v2/${repository}/blobs/uploads/${id}`, { body: 'x' }), 404, 400);
    }
  });

  check('the same blob pushed twice, and by two clients at once, is stored once and served', async (protocol) => {
    const repository = protocol.newRepository();
    const blob = newBlob('sha256', 100_000);
    const answers = await Promise.all([postOnly, postPut, streamed, chunked].map((way) => way(protocol, repository, blob)));
    for (const answer of answers) assertStatus(answer, 201);
    await assertStored(protocol, repository, blob);
  });
});
