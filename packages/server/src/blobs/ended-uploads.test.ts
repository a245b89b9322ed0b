import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { forEachEngine } from '@berth/testkit';
import { digestOf, openTestBlobs, until, uploadExpiryMs } from './test-blobs.ts';
import { deleteRepository } from './test-transactions.ts';
import { assertStored, expectAnswer } from './test-uploads.ts';

forEachEngine((engine) => {
  test('a newer request takes an upload over from one that hangs', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    const hanging = new PassThrough();
    const older = test.ask('send-chunk', { session, body: hanging });
    hanging.write('0123');
    await until(() => test.blobs.activeUploads() === 1 && hanging.readableLength === 0);
    const newer = await test.ask('send-chunk', { session, body: '4567', headers: { 'content-range': '4-7' } });
    expectAnswer(newer, 202);
    assert.equal(newer.headers['Range'], '0-7');
    // The older keeps what it had, and says so to whoever still listens.
    assert.equal((await older).headers['Range'], '0-3');
    expectAnswer(await test.ask('finish-upload', { session, query: { digest: digestOf('01234567') } }), 201);
    await assertStored(test, 'a', digestOf('01234567'), '01234567');
  });

  test('a request that is taken over while it waits for a digest says why it ends', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    expectAnswer(await test.ask('send-chunk', { session, body: '01' }), 202);
    const restarted = await test.restarted();
    const body = new PassThrough();
    const older = restarted.ask('finish-upload', { session, body, query: { digest: digestOf('0123') } });
    await until(() => restarted.blobs.activeUploads() === 1);
    expectAnswer(await restarted.ask('finish-upload', { session, body: '23', query: { digest: digestOf('0123') } }), 201);
    assert.ok([400, 404].includes((await older).status), (await older).message);
  });

  test('a cancel ends the request that is sending, and frees everything', async (t) => {
    const test = await openTestBlobs(engine, t);
    const session = await test.begin('a');
    expectAnswer(await test.ask('send-chunk', { session, body: 'kept' }), 202);
    const body = new PassThrough();
    const sending = test.ask('send-chunk', { session, body });
    body.write('more');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    expectAnswer(await test.ask('cancel-upload', { session }), 204);
    await sending;
    expectAnswer(await test.ask('get-upload', { session }), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectAnswer(await test.ask('cancel-upload', { session }), 404, 'BLOB_UPLOAD_UNKNOWN');
    await test.collect();
    assert.deepEqual(await test.files(), []);
    assert.deepEqual(await test.database.read.selectFrom('parts').select('name').execute(), []);
  });

  test('uploads that rest expire, those that are being written to do not', async (t) => {
    const test = await openTestBlobs(engine, t);
    const resting = await test.begin('a');
    expectAnswer(await test.ask('send-chunk', { session: resting, body: 'x' }), 202);
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
    expectAnswer(await test.ask('get-upload', { session: resting }), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectAnswer(await test.ask('get-upload', { session: young }), 204);
    body.end('4567');
    expectAnswer(await sending, 202);
    expectAnswer(await test.ask('finish-upload', { session: slow, query: { digest: digestOf('01234567') } }), 201);
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
    expectAnswer(await sending, 404, 'BLOB_UPLOAD_UNKNOWN');
    expectAnswer(await test.pull('a', digestOf('0123')), 404, 'BLOB_UNKNOWN');
  });

  test('two processes may share an upload: the later one goes on with another part', async (t) => {
    const test = await openTestBlobs(engine, t);
    const other = await test.restarted();
    const session = await test.begin('a');
    const body = new PassThrough();
    const stalled = test.ask('send-chunk', { session, body });
    body.write('lost');
    await until(() => test.blobs.activeUploads() === 1 && body.readableLength === 0);
    expectAnswer(await other.ask('send-chunk', { session, body: '0123' }), 202);
    body.end();
    expectAnswer(await stalled, 400, 'BLOB_UPLOAD_INVALID');
    expectAnswer(await test.ask('finish-upload', { session, query: { digest: digestOf('0123') } }), 201);
    await assertStored(test, 'a', digestOf('0123'), '0123');
    expectAnswer(await test.ask('delete-blob', { digest: digestOf('0123') }), 202);
    await test.collectEverything();
    assert.deepEqual(await test.files(), []);
    assert.deepEqual(await test.database.read.selectFrom('parts').select('name').execute(), []);
  });
});
