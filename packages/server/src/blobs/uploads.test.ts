import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { maxPartsPerUpload } from './model.ts';
import { digestOf, openTestBlobs, until } from './test-blobs.ts';
import { moveReservedPart } from './test-transactions.ts';
import { assertStored, expectAnswer, rangeOf } from './test-uploads.ts';

forEachEngine((engine) => {
  test('a blob goes up in one request, and by a session with or without chunks', async (t) => {
    const test = await openTestBlobs(engine, t);
    const content = randomBytes(3_000_000);
    const digest = digestOf(content);

    const whole = await test.ask('start-upload', { name: 'whole', query: { digest }, body: content });
    expectAnswer(whole, 201);
    assert.deepEqual(whole.headers, { Location: `/v2/whole/blobs/${digest}`, 'Docker-Content-Digest': digest });
    await assertStored(test, 'whole', digest, content);

    const session = await test.begin('put');
    assert.match(session, /^\/v2\/put\/blobs\/uploads\/[0-9a-f-]{36}$/);
    expectAnswer(await test.ask('finish-upload', { name: 'put', session, query: { digest }, body: content }), 201);
    await assertStored(test, 'put', digest, content);

    const chunked = await test.begin('a');
    const first = await test.ask('send-chunk', { session: chunked, body: content.subarray(0, 1_000_000) });
    expectAnswer(first, 202);
    assert.equal(first.headers['Range'], '0-999999');
    assert.equal(first.headers['Location'], chunked);
    const streamed = Readable.from([content.subarray(1_000_000, 1_500_000), content.subarray(1_500_000, 2_000_000)]);
    expectAnswer(await test.ask('send-chunk', { session: chunked, body: streamed }), 202);
    assert.equal(await rangeOf(test, chunked), '0-1999999');
    const put = {
      session: chunked,
      query: { digest },
      body: content.subarray(2_000_000),
      headers: { 'content-range': '2000000-2999999' },
    };
    expectAnswer(await test.ask('finish-upload', put), 201);
    await assertStored(test, 'a', digest, content);
    // A session ends with its PUT.
    for (const operation of ['get-upload', 'send-chunk', 'cancel-upload'])
      expectAnswer(await test.ask(operation, { session: chunked }), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectAnswer(await test.ask('finish-upload', put), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  test('the answer to a POST says where to go on and how large chunks should be', async (t) => {
    const test = await openTestBlobs(engine, t);
    const { headers } = await test.ask('start-upload', { name: 'a/b' });
    assert.deepEqual(Object.keys(headers).toSorted(), ['Docker-Upload-UUID', 'Location', 'OCI-Chunk-Min-Length', 'Range']);
    assert.equal(headers['Range'], '0-0');
    assert.equal(headers['Location'], `/v2/a/b/blobs/uploads/${headers['Docker-Upload-UUID']}`);
  });

  test('empty blobs and empty chunks are taken', async (t) => {
    const test = await openTestBlobs(engine, t);
    const digest = digestOf('');
    expectAnswer(await test.ask('start-upload', { name: 'one', query: { digest } }), 201);
    await assertStored(test, 'one', digest, '');
    const session = await test.begin('a');
    expectAnswer(await test.ask('send-chunk', { session }), 202);
    expectAnswer(await test.ask('send-chunk', { session, body: Readable.from([]) }), 202);
    assert.equal(await rangeOf(test, session), '0-0');
    expectAnswer(await test.ask('send-chunk', { session, body: 'x' }), 202);
    expectAnswer(await test.ask('send-chunk', { session, body: Readable.from([]) }), 202);
    expectAnswer(await test.ask('finish-upload', { session, query: { digest: digestOf('x') } }), 201);
    await assertStored(test, 'a', digestOf('x'), 'x');
    const empty = await test.begin('b');
    expectAnswer(await test.ask('finish-upload', { name: 'b', session: empty, query: { digest }, body: Readable.from([]) }), 201);
    await assertStored(test, 'b', digest, '');
  });

  test('sha512 works with the hint, without it, and by another name at the end', async (t) => {
    const test = await openTestBlobs(engine, t);
    for (const query of [{ 'digest-algorithm': 'sha512' }, {}]) {
      const content = randomBytes(100);
      const digest = digestOf(content, 'sha512');
      const session = await test.begin('a', { query });
      expectAnswer(await test.ask('send-chunk', { session, body: content.subarray(0, 60) }), 202);
      expectAnswer(await test.ask('finish-upload', { session, body: content.subarray(60), query: { digest } }), 201);
      await assertStored(test, 'a', digest, content);
    }
    const digest = digestOf('one', 'sha512');
    expectAnswer(await test.ask('start-upload', { query: { digest }, body: 'one' }), 201);
    await assertStored(test, 'a', digest, 'one');
  });

  test('attack 3: what is no digest is refused and leaves nothing', async (t) => {
    const test = await openTestBlobs(engine, t);
    const good = digestOf('x');
    const bad = [
      'sha256:baddigeststring',
      good.toUpperCase(),
      good.slice(0, -1),
      'sha256:../../x',
      `md5:${'0'.repeat(32)}`,
      '',
      'sha256',
    ];
    const session = await test.begin('a');
    for (const digest of bad) {
      expectAnswer(await test.ask('start-upload', { query: { digest }, body: 'x' }), 400, 'DIGEST_INVALID');
      expectAnswer(await test.ask('finish-upload', { session, query: { digest }, body: 'x' }), 400, 'DIGEST_INVALID');
      for (const operation of ['get-blob', 'head-blob', 'delete-blob'])
        expectAnswer(await test.ask(operation, { digest }), 400, 'DIGEST_INVALID');
    }
    expectAnswer(await test.ask('finish-upload', { session, body: 'x' }), 400, 'DIGEST_INVALID');
    for (const algorithm of ['md5', 'SHA256', ''])
      expectAnswer(await test.ask('start-upload', { query: { 'digest-algorithm': algorithm } }), 400, 'DIGEST_INVALID');
    // A mistyped digest costs nothing but the request.
    expectAnswer(await test.ask('finish-upload', { session, query: { digest: good }, body: 'x' }), 201);
    assert.equal((await test.files()).length, 1);
  });

  test('a digest that does not match ends the upload and leaves no trace', async (t) => {
    const test = await openTestBlobs(engine, t);
    const wrong = { digest: digestOf('other') };
    const whole = await test.ask('start-upload', { query: wrong, body: 'x' });
    expectAnswer(whole, 400, 'DIGEST_INVALID');
    assert.match(whole.message, new RegExp(digestOf('x')));
    for (const last of ['', 'y']) {
      const session = await test.begin('a');
      expectAnswer(await test.ask('send-chunk', { session, body: 'x' }), 202);
      expectAnswer(await test.ask('finish-upload', { session, query: wrong, body: last }), 400, 'DIGEST_INVALID');
      expectAnswer(await test.ask('get-upload', { session }), 404, 'BLOB_UPLOAD_UNKNOWN');
    }
    expectAnswer(await test.pull('a', wrong.digest), 404, 'BLOB_UNKNOWN');
    expectAnswer(await test.pull('a', digestOf('x')), 404, 'BLOB_UNKNOWN');
    await test.collectEverything();
    assert.deepEqual(await test.files(), []);
    assert.deepEqual(await test.database.read.selectFrom('parts').select('name').execute(), []);
  });

  test('attack 16: an upload is nobody else’s, nor another repository’s', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('mine', { user: 'admin:alice' });
    const body = new PassThrough();
    const mine = { name: 'mine', user: 'admin:alice', session };
    const sending = test.ask('send-chunk', { ...mine, body });
    body.write('0123');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    const strangers = [
      { name: 'mine', user: 'admin:bob' },
      { name: 'other', user: 'admin:alice' },
      { name: 'min', user: 'admin:alice' },
      { name: 'mine', user: 'admin:alice', session: session.toUpperCase() },
      { name: 'mine', user: 'admin:alice', session: '../mine' },
    ];
    for (const stranger of strangers) {
      for (const operation of ['get-upload', 'send-chunk', 'finish-upload', 'cancel-upload']) {
        const request = { session, body: 'x', query: { digest: digestOf('x') }, ...stranger };
        expectAnswer(await test.ask(operation, request), 404, 'BLOB_UPLOAD_UNKNOWN');
      }
    }
    // The owner's request was not disturbed.
    body.end('4567');
    assert.equal((await sending).headers['Range'], '0-7');
    expectAnswer(await test.ask('finish-upload', { ...mine, query: { digest: digestOf('01234567') } }), 201);
  });

  test('too many chunks are refused', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    await test.database.write(moveReservedPart, { position: maxPartsPerUpload - 1 });
    expectAnswer(await test.ask('send-chunk', { session, body: 'x' }), 202);
    for (const operation of ['send-chunk', 'finish-upload'])
      expectAnswer(
        await test.ask(operation, { session, body: 'y', query: { digest: digestOf('xy') } }),
        400,
        'BLOB_UPLOAD_INVALID',
      );
    expectAnswer(await test.ask('finish-upload', { session, query: { digest: digestOf('x') } }), 201);
  });
});
