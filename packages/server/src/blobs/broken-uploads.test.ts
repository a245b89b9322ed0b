import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { digestOf, openTestBlobs, until } from './test-blobs.ts';
import { assertStored, expectAnswer, rangeOf } from './test-uploads.ts';

forEachEngine((engine) => {
  test('attack 9: a chunk that does not go on where the upload stands changes nothing', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    expectAnswer(await test.ask('send-chunk', { session, body: '0123', headers: { 'content-range': '0-3' } }), 202);
    for (const range of ['0-3', '2-5', '5-8', '3-6', '9007199254740000-9007199254740003']) {
      for (const operation of ['send-chunk', 'finish-upload']) {
        const request = { session, body: '4567', headers: { 'content-range': range }, query: { digest: digestOf('01234567') } };
        const answer = await test.ask(operation, request);
        expectAnswer(answer, 416, 'RANGE_INVALID');
        assert.deepEqual([answer.headers['Location'], answer.headers['Range']], [session, '0-3']);
      }
    }
    for (const range of ['-1', '-4--1', '4-', '7-4', 'bytes', '', '4-7x', '99999999999999999999-99999999999999999999']) {
      const answer = await test.ask('send-chunk', { session, body: '4567', headers: { 'content-range': range } });
      expectAnswer(answer, 416, 'RANGE_INVALID');
      assert.equal(answer.headers['Range'], '0-3');
    }
    assert.equal(await rangeOf(test, session), '0-3');
    const bytes = { session, body: '45', headers: { 'content-range': 'bytes 4-5/*' } };
    expectAnswer(await test.ask('send-chunk', bytes), 202);
    expectAnswer(
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
    expectAnswer(
      await test.ask('send-chunk', { session, body: '0123', headers: { 'content-range': '0-4' } }),
      400,
      'SIZE_INVALID',
    );
    // A stream without length that is shorter or longer than its range.
    for (const body of ['012', '01234', '']) {
      const stream = Readable.from([Buffer.from(body)]);
      const headers = { 'content-range': '0-3' };
      expectAnswer(await test.ask('send-chunk', { session, body: stream, headers }), 400, 'SIZE_INVALID');
      expectAnswer(
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
      expectAnswer(await test.ask('send-chunk', { session, body: '0123', contentLength }), 400, 'SIZE_INVALID');
    expectAnswer(
      await test.ask('start-upload', { body: '0123', contentLength: 5, query: { digest: digestOf('0123') } }),
      400,
      'SIZE_INVALID',
    );
    assert.equal(await rangeOf(test, session), '0-0');
    expectAnswer(await test.ask('finish-upload', { session, body: '0123', query: { digest: digestOf('0123') } }), 201);
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
      expectAnswer(await test.ask('send-chunk', rest), 202);
      expectAnswer(await test.ask('finish-upload', { session, query: { digest } }), 201);
      await assertStored(test, 'a', digest, content);
      expectAnswer(await test.ask('delete-blob', { digest }), 202);
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
      expectAnswer(await broken, 400, 'SIZE_INVALID');
    }
    assert.equal(await rangeOf(test, session), '0-0');
    assert.deepEqual(await test.files(), []);
    expectAnswer(await test.ask('finish-upload', { session, query: { digest }, body: '0123' }), 201);
  });

  test('an upload goes on after a restart, its digest computed anew from its parts', async (t) => {
    const test = await openTestBlobs(engine, t, { segmentBytes: 1024 });
    const content = randomBytes(10_000);
    const session = await test.begin('a');
    expectAnswer(await test.ask('send-chunk', { session, body: content.subarray(0, 3_000) }), 202);
    const second = await test.restarted();
    expectAnswer(await second.ask('send-chunk', { session, body: content.subarray(3_000, 7_000) }), 202);
    assert.equal(await rangeOf(second, session), '0-6999');
    const third = await second.restarted();
    const digest = digestOf(content);
    expectAnswer(await third.ask('finish-upload', { session, query: { digest }, body: content.subarray(7_000) }), 201);
    await assertStored(third, 'a', digest, content);
    // The reserved part had no object, but a new process cannot know: its row is left to collection.
    await third.collectEverything();
    assert.deepEqual(await third.files(), []);
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
      expectAnswer(await other.ask('cancel-upload', { session }), 204);
      await other.collectEverything();
      body.end();
      expectAnswer(
        await stalled,
        operation === 'send-chunk' ? 400 : 404,
        operation === 'send-chunk' ? 'BLOB_UPLOAD_INVALID' : 'BLOB_UPLOAD_UNKNOWN',
      );
      assert.deepEqual(await test.files(), []);
    }
  });

  test('a stop keeps what came and refuses what comes', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    const body = new PassThrough();
    const sending = test.ask('send-chunk', { session, body });
    body.write('0123');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    await test.blobs.stop();
    expectAnswer(await sending, 202);
    expectAnswer(await test.ask('send-chunk', { session, body: '4' }), 503, 'UNAVAILABLE');
    const restarted = await test.restarted();
    assert.equal(await rangeOf(restarted, session), '0-3');
  });
});
