import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { maxPartsPerUpload } from './model.ts';
import { type TestAnswer, type TestBlobs, digestOf, openTestBlobs, until, uploadExpiryMs } from './test-blobs.ts';
import { deleteRepository, moveReservedPart } from './test-transactions.ts';

function expect(answer: TestAnswer, status: number, error?: string): void {
  assert.deepEqual({ status: answer.status, error: answer.error }, { status, error }, answer.message);
}

async function assertStored(test: TestBlobs, name: string, digest: string, content: string | Uint8Array): Promise<void> {
  const answer = await test.pull(name, digest);
  expect(answer, 200);
  assert.ok(answer.bytes.equals(Buffer.from(content)), 'the bytes came back changed');
}

/** What the upload says of itself. */
async function rangeOf(test: TestBlobs, session: string): Promise<unknown> {
  const answer = await test.ask('get-upload', { session });
  expect(answer, 204);
  assert.equal(answer.headers['Location'], session);
  return answer.headers['Range'];
}

forEachEngine((engine) => {
  test('a blob goes up in one request, and by a session with or without chunks', async (t) => {
    const test = await openTestBlobs(engine, t);
    const content = randomBytes(3_000_000);
    const digest = digestOf(content);

    const whole = await test.ask('start-upload', { name: 'whole', query: { digest }, body: content });
    expect(whole, 201);
    assert.deepEqual(whole.headers, { Location: `/v2/whole/blobs/${digest}`, 'Docker-Content-Digest': digest });
    await assertStored(test, 'whole', digest, content);

    const session = await test.begin('put');
    assert.match(session, /^\/v2\/put\/blobs\/uploads\/[0-9a-f-]{36}$/);
    expect(await test.ask('finish-upload', { name: 'put', session, query: { digest }, body: content }), 201);
    await assertStored(test, 'put', digest, content);

    const chunked = await test.begin('a');
    const first = await test.ask('send-chunk', { session: chunked, body: content.subarray(0, 1_000_000) });
    expect(first, 202);
    assert.equal(first.headers['Range'], '0-999999');
    assert.equal(first.headers['Location'], chunked);
    const streamed = Readable.from([content.subarray(1_000_000, 1_500_000), content.subarray(1_500_000, 2_000_000)]);
    expect(await test.ask('send-chunk', { session: chunked, body: streamed }), 202);
    assert.equal(await rangeOf(test, chunked), '0-1999999');
    const put = {
      session: chunked,
      query: { digest },
      body: content.subarray(2_000_000),
      headers: { 'content-range': '2000000-2999999' },
    };
    expect(await test.ask('finish-upload', put), 201);
    await assertStored(test, 'a', digest, content);
    // A session ends with its PUT.
    for (const operation of ['get-upload', 'send-chunk', 'cancel-upload'])
      expect(await test.ask(operation, { session: chunked }), 404, 'BLOB_UPLOAD_UNKNOWN');
    expect(await test.ask('finish-upload', put), 404, 'BLOB_UPLOAD_UNKNOWN');
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
    expect(await test.ask('start-upload', { name: 'one', query: { digest } }), 201);
    await assertStored(test, 'one', digest, '');
    const session = await test.begin('a');
    expect(await test.ask('send-chunk', { session }), 202);
    expect(await test.ask('send-chunk', { session, body: Readable.from([]) }), 202);
    assert.equal(await rangeOf(test, session), '0-0');
    expect(await test.ask('send-chunk', { session, body: 'x' }), 202);
    expect(await test.ask('send-chunk', { session, body: Readable.from([]) }), 202);
    expect(await test.ask('finish-upload', { session, query: { digest: digestOf('x') } }), 201);
    await assertStored(test, 'a', digestOf('x'), 'x');
    const empty = await test.begin('b');
    expect(await test.ask('finish-upload', { name: 'b', session: empty, query: { digest }, body: Readable.from([]) }), 201);
    await assertStored(test, 'b', digest, '');
  });

  test('sha512 works with the hint, without it, and by another name at the end', async (t) => {
    const test = await openTestBlobs(engine, t);
    for (const query of [{ 'digest-algorithm': 'sha512' }, {}]) {
      const content = randomBytes(100);
      const digest = digestOf(content, 'sha512');
      const session = await test.begin('a', { query });
      expect(await test.ask('send-chunk', { session, body: content.subarray(0, 60) }), 202);
      expect(await test.ask('finish-upload', { session, body: content.subarray(60), query: { digest } }), 201);
      await assertStored(test, 'a', digest, content);
    }
    const digest = digestOf('one', 'sha512');
    expect(await test.ask('start-upload', { query: { digest }, body: 'one' }), 201);
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
      expect(await test.ask('start-upload', { query: { digest }, body: 'x' }), 400, 'DIGEST_INVALID');
      expect(await test.ask('finish-upload', { session, query: { digest }, body: 'x' }), 400, 'DIGEST_INVALID');
      for (const operation of ['get-blob', 'head-blob', 'delete-blob'])
        expect(await test.ask(operation, { digest }), 400, 'DIGEST_INVALID');
    }
    expect(await test.ask('finish-upload', { session, body: 'x' }), 400, 'DIGEST_INVALID');
    for (const algorithm of ['md5', 'SHA256', ''])
      expect(await test.ask('start-upload', { query: { 'digest-algorithm': algorithm } }), 400, 'DIGEST_INVALID');
    // A mistyped digest costs nothing but the request.
    expect(await test.ask('finish-upload', { session, query: { digest: good }, body: 'x' }), 201);
    assert.equal((await test.files()).length, 1);
  });

  test('a digest that does not match ends the upload and leaves no trace', async (t) => {
    const test = await openTestBlobs(engine, t);
    const wrong = { digest: digestOf('other') };
    const whole = await test.ask('start-upload', { query: wrong, body: 'x' });
    expect(whole, 400, 'DIGEST_INVALID');
    assert.match(whole.message, new RegExp(digestOf('x')));
    for (const last of ['', 'y']) {
      const session = await test.begin('a');
      expect(await test.ask('send-chunk', { session, body: 'x' }), 202);
      expect(await test.ask('finish-upload', { session, query: wrong, body: last }), 400, 'DIGEST_INVALID');
      expect(await test.ask('get-upload', { session }), 404, 'BLOB_UPLOAD_UNKNOWN');
    }
    expect(await test.pull('a', wrong.digest), 404, 'BLOB_UNKNOWN');
    expect(await test.pull('a', digestOf('x')), 404, 'BLOB_UNKNOWN');
    await test.collectEverything();
    assert.deepEqual(await test.files(), []);
    assert.deepEqual(await test.database.read.selectFrom('parts').select('name').execute(), []);
  });

  test('attack 9: a chunk that does not go on where the upload stands changes nothing', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    expect(await test.ask('send-chunk', { session, body: '0123', headers: { 'content-range': '0-3' } }), 202);
    for (const range of ['0-3', '2-5', '5-8', '3-6', '9007199254740000-9007199254740003']) {
      for (const operation of ['send-chunk', 'finish-upload']) {
        const request = { session, body: '4567', headers: { 'content-range': range }, query: { digest: digestOf('01234567') } };
        const answer = await test.ask(operation, request);
        expect(answer, 416, 'RANGE_INVALID');
        assert.deepEqual([answer.headers['Location'], answer.headers['Range']], [session, '0-3']);
      }
    }
    for (const range of ['-1', '-4--1', '4-', '7-4', 'bytes', '', '4-7x', '99999999999999999999-99999999999999999999']) {
      const answer = await test.ask('send-chunk', { session, body: '4567', headers: { 'content-range': range } });
      expect(answer, 416, 'RANGE_INVALID');
      assert.equal(answer.headers['Range'], '0-3');
    }
    assert.equal(await rangeOf(test, session), '0-3');
    const bytes = { session, body: '45', headers: { 'content-range': 'bytes 4-5/*' } };
    expect(await test.ask('send-chunk', bytes), 202);
    expect(
      await test.ask('finish-upload', {
        session,
        body: '67',
        headers: { 'content-range': '6-7' },
        query: { digest: digestOf('01234567') },
      }),
      201,
    );
    await assertStored(test, 'a', digestOf('01234567'), '01234567');
  });

  test('attack 8: lengths that lie are refused, and the session goes on', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    // The header says one thing, the range another.
    expect(await test.ask('send-chunk', { session, body: '0123', headers: { 'content-range': '0-4' } }), 400, 'SIZE_INVALID');
    // A stream without length that is shorter or longer than its range.
    for (const body of ['012', '01234', '']) {
      const stream = Readable.from([Buffer.from(body)]);
      const headers = { 'content-range': '0-3' };
      expect(await test.ask('send-chunk', { session, body: stream, headers }), 400, 'SIZE_INVALID');
      expect(
        await test.ask('finish-upload', {
          session,
          body: Readable.from([Buffer.from(body)]),
          headers,
          query: { digest: digestOf('0123') },
        }),
        400,
        'SIZE_INVALID',
      );
    }
    // A length that the body does not keep.
    for (const contentLength of [2, 6])
      expect(await test.ask('send-chunk', { session, body: '0123', contentLength }), 400, 'SIZE_INVALID');
    expect(
      await test.ask('start-upload', { body: '0123', contentLength: 5, query: { digest: digestOf('0123') } }),
      400,
      'SIZE_INVALID',
    );
    assert.equal(await rangeOf(test, session), '0-0');
    expect(await test.ask('finish-upload', { session, body: '0123', query: { digest: digestOf('0123') } }), 201);
    await assertStored(test, 'a', digestOf('0123'), '0123');
    await test.collectEverything();
    assert.equal((await test.files()).length, 0);
  });

  test('attack 8: a connection that breaks at any byte leaves a session to go on with', async (t) => {
    const test = await openTestBlobs(engine, t, { segmentBytes: 64 });
    const content = randomBytes(60);
    const digest = digestOf(content);
    for (let kept = 0; kept < content.length; kept += 7) {
      const session = await test.begin('a');
      const body = new PassThrough();
      const broken = test.ask('send-chunk', { session, body, contentLength: content.length });
      if (kept > 0) body.write(content.subarray(0, kept));
      await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
      body.destroy(kept % 2 === 0 ? new Error('socket hang up') : undefined);
      await broken;
      assert.equal(await rangeOf(test, session), `0-${Math.max(0, kept - 1)}`);
      const rest = { session, body: content.subarray(kept), headers: { 'content-range': `${kept}-${content.length - 1}` } };
      expect(await test.ask('send-chunk', rest), 202);
      expect(await test.ask('finish-upload', { session, query: { digest } }), 201);
      await assertStored(test, 'a', digest, content);
      expect(await test.ask('delete-blob', { digest }), 202);
    }
  });

  test('of a PUT or single POST that breaks nothing is kept', async (t) => {
    const test = await openTestBlobs(engine, t);
    const digest = digestOf('0123');
    const session = await test.begin('a');
    for (const [operation, given] of [
      ['finish-upload', { session }],
      ['start-upload', {}],
    ] as const) {
      const body = new PassThrough();
      const broken = test.ask(operation, { ...given, query: { digest }, body, contentLength: 4 });
      body.write('01');
      await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
      body.destroy();
      expect(await broken, 400, 'SIZE_INVALID');
    }
    assert.equal(await rangeOf(test, session), '0-0');
    assert.deepEqual(await test.files(), []);
    expect(await test.ask('finish-upload', { session, query: { digest }, body: '0123' }), 201);
  });

  test('an upload goes on after a restart, its digest computed anew from its parts', async (t) => {
    const test = await openTestBlobs(engine, t, { segmentBytes: 1024 });
    const content = randomBytes(10_000);
    const session = await test.begin('a');
    expect(await test.ask('send-chunk', { session, body: content.subarray(0, 3_000) }), 202);
    const second = await test.restarted();
    expect(await second.ask('send-chunk', { session, body: content.subarray(3_000, 7_000) }), 202);
    assert.equal(await rangeOf(second, session), '0-6999');
    const third = await second.restarted();
    const digest = digestOf(content);
    expect(await third.ask('finish-upload', { session, query: { digest }, body: content.subarray(7_000) }), 201);
    await assertStored(third, 'a', digest, content);
    // The reserved part had no object, but a new process cannot know: its row is left to collection.
    await third.collectEverything();
    assert.deepEqual(await third.files(), []);
  });

  test('a newer request takes an upload over from one that hangs', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    const hanging = new PassThrough();
    const older = test.ask('send-chunk', { session, body: hanging });
    hanging.write('0123');
    await until(() => test.blobs.activeUploads() === 1 && hanging.readableLength === 0);
    const newer = await test.ask('send-chunk', { session, body: '4567', headers: { 'content-range': '4-7' } });
    expect(newer, 202);
    assert.equal(newer.headers['Range'], '0-7');
    // The older keeps what it had, and says so to whoever still listens.
    assert.equal((await older).headers['Range'], '0-3');
    expect(await test.ask('finish-upload', { session, query: { digest: digestOf('01234567') } }), 201);
    await assertStored(test, 'a', digestOf('01234567'), '01234567');
  });

  test('a request that is taken over while it waits for a digest says why it ends', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    expect(await test.ask('send-chunk', { session, body: '01' }), 202);
    const restarted = await test.restarted();
    const body = new PassThrough();
    const older = restarted.ask('finish-upload', { session, body, query: { digest: digestOf('0123') } });
    await until(() => restarted.blobs.activeUploads() === 1);
    expect(await restarted.ask('finish-upload', { session, body: '23', query: { digest: digestOf('0123') } }), 201);
    assert.ok([400, 404].includes((await older).status), (await older).message);
  });

  test('a cancel ends the request that is sending, and frees everything', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    expect(await test.ask('send-chunk', { session, body: 'kept' }), 202);
    const body = new PassThrough();
    const sending = test.ask('send-chunk', { session, body });
    body.write('more');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    expect(await test.ask('cancel-upload', { session }), 204);
    await sending;
    expect(await test.ask('get-upload', { session }), 404, 'BLOB_UPLOAD_UNKNOWN');
    expect(await test.ask('cancel-upload', { session }), 404, 'BLOB_UPLOAD_UNKNOWN');
    await test.collect();
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
        expect(await test.ask(operation, request), 404, 'BLOB_UPLOAD_UNKNOWN');
      }
    }
    // The owner's request was not disturbed.
    body.end('4567');
    assert.equal((await sending).headers['Range'], '0-7');
    expect(await test.ask('finish-upload', { ...mine, query: { digest: digestOf('01234567') } }), 201);
  });

  test('uploads that rest expire, those that are being written to do not', async (t) => {
    const test = await openTestBlobs(engine, t);
    const resting = await test.begin('a');
    expect(await test.ask('send-chunk', { session: resting, body: 'x' }), 202);
    const slow = await test.begin('a');
    const body = new PassThrough();
    const sending = test.ask('send-chunk', { session: slow, body });
    body.write('0123');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    const signal = new AbortController().signal;
    test.clock.time += uploadExpiryMs;
    assert.equal(await test.blobs.expireUploads(signal), 0);
    test.clock.time += uploadExpiryMs / 2;
    const young = await test.begin('a');
    assert.equal(await test.blobs.expireUploads(signal), 1);
    expect(await test.ask('get-upload', { session: resting }), 404, 'BLOB_UPLOAD_UNKNOWN');
    expect(await test.ask('get-upload', { session: young }), 204);
    body.end('4567');
    expect(await sending, 202);
    expect(await test.ask('finish-upload', { session: slow, query: { digest: digestOf('01234567') } }), 201);
    const aborted = new AbortController();
    aborted.abort();
    assert.equal(await test.blobs.expireUploads(aborted.signal), 0);
  });

  test('an upload into a repository that is deleted meanwhile is gone with it', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    const body = new PassThrough();
    const sending = test.ask('finish-upload', { session, body, query: { digest: digestOf('0123') } });
    body.write('01');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    await test.database.write(deleteRepository, { registryId: test.registryId, name: 'a' });
    body.end('23');
    expect(await sending, 404, 'BLOB_UPLOAD_UNKNOWN');
    expect(await test.pull('a', digestOf('0123')), 404, 'BLOB_UNKNOWN');
  });

  test('two processes may share an upload: the later one goes on with another part', async (t) => {
    const test = await openTestBlobs(engine, t);
    const other = await test.restarted();
    const session = await test.begin('a');
    const body = new PassThrough();
    const stalled = test.ask('send-chunk', { session, body });
    body.write('lost');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    expect(await other.ask('send-chunk', { session, body: '0123' }), 202);
    body.end();
    expect(await stalled, 400, 'BLOB_UPLOAD_INVALID');
    expect(await test.ask('finish-upload', { session, query: { digest: digestOf('0123') } }), 201);
    await assertStored(test, 'a', digestOf('0123'), '0123');
    expect(await test.ask('delete-blob', { digest: digestOf('0123') }), 202);
    await test.collectEverything();
    assert.deepEqual(await test.files(), []);
    assert.deepEqual(await test.database.read.selectFrom('parts').select('name').execute(), []);
  });

  test('a chunk that was written for an upload that is gone leaves no file that nobody knows', async (t) => {
    const test = await openTestBlobs(engine, t);
    const other = await test.restarted();
    for (const operation of ['send-chunk', 'finish-upload']) {
      const session = await test.begin('a');
      const body = new PassThrough();
      const stalled = test.ask(operation, { session, body, query: { digest: digestOf('late') } });
      body.write('late');
      await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
      expect(await other.ask('cancel-upload', { session }), 204);
      await other.collectEverything();
      body.end();
      expect(
        await stalled,
        operation === 'send-chunk' ? 400 : 404,
        operation === 'send-chunk' ? 'BLOB_UPLOAD_INVALID' : 'BLOB_UPLOAD_UNKNOWN',
      );
      assert.deepEqual(await test.files(), []);
    }
  });

  test('too many chunks are refused', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    await test.database.write(moveReservedPart, { position: maxPartsPerUpload - 1 });
    expect(await test.ask('send-chunk', { session, body: 'x' }), 202);
    for (const operation of ['send-chunk', 'finish-upload'])
      expect(await test.ask(operation, { session, body: 'y', query: { digest: digestOf('xy') } }), 400, 'BLOB_UPLOAD_INVALID');
    expect(await test.ask('finish-upload', { session, query: { digest: digestOf('x') } }), 201);
  });

  test('a stop keeps what came and refuses what comes', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    const body = new PassThrough();
    const sending = test.ask('send-chunk', { session, body });
    body.write('0123');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    await test.blobs.stop();
    expect(await sending, 202);
    expect(await test.ask('send-chunk', { session, body: '4' }), 503, 'UNAVAILABLE');
    const restarted = await test.restarted();
    assert.equal(await rangeOf(restarted, session), '0-3');
  });
});
