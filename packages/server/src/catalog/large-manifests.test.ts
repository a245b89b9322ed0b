import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { OciError, maxManifestBytes, mediaTypes } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { LargeManifestGate } from './large-manifest-gate.ts';
import { ManifestParser } from './manifest-parser.ts';
import { factsOf } from './model.ts';
import { receiveManifest } from './receive-manifest.ts';
import { bytesOf, digestOf, image } from './test-catalog.ts';

const never = new AbortController().signal;

function manyAnnotations(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, '']));
}

test('large manifests are read as small ones are', async (t) => {
  const parser = new ManifestParser();
  t.after(() => parser.close());
  const documents = [200, 2000].map((count) =>
    bytesOf(
      image(
        'config',
        Array.from({ length: count }, (_, at) => String(at)),
      ),
    ),
  );
  assert.ok((documents[0]?.length ?? 0) < 65_536 && (documents[1]?.length ?? 0) > 65_536);
  for (const document of documents) assert.deepEqual(await parser.parse(document, undefined), factsOf(document, undefined));
  const many = await Promise.all(
    Array.from({ length: 5 }, () => parser.parse(documents[1] ?? Buffer.alloc(0), mediaTypes.ociManifest)),
  );
  for (const facts of many) assert.equal(facts.blobs.length, 2001);
});

test('what is wrong with a large manifest is said as with a small one', async (t) => {
  const parser = new ManifestParser();
  t.after(() => parser.close());
  for (const pad of [10, 100_000]) {
    const error = await parser
      .parse(Buffer.from(`{"schemaVersion":2,"x":"${'x'.repeat(pad)}","x":1}`), mediaTypes.ociManifest)
      .catch((each: unknown) => each);
    assert.ok(error instanceof OciError);
    assert.equal(error.code, 'MANIFEST_INVALID');
    assert.match(error.message, /"x" twice/);
  }
});

test('attack 45: the worst manifest costs this thread next to nothing', async (t) => {
  const parser = new ManifestParser();
  t.after(() => parser.close());
  const worst = bytesOf(image('config', [], { annotations: manyAnnotations(280_000) }));
  assert.ok(worst.length < maxManifestBytes && worst.length > 3_000_000);
  const began = process.threadCpuUsage();
  await parser.parse(worst, undefined);
  const { user, system } = process.threadCpuUsage(began);
  assert.ok(user + system < 100_000, `parsing took ${(user + system) / 1000} ms of this thread`);
});

test('a closed parser starts anew when it is needed, and lets go of who waits', async (t) => {
  const parser = new ManifestParser();
  t.after(() => parser.close());
  const large = bytesOf(image('config', [], { annotations: { pad: 'x'.repeat(100_000) } }));
  const waiting = parser.parse(large, undefined);
  const outcome = assert.rejects(waiting, { error: 'UNAVAILABLE' });
  await parser.close();
  await outcome;
  assert.deepEqual((await parser.parse(large, undefined)).blobs, [digestOf('config')]);
});

test('a document that exhausts the thread is refused; those behind it may try again', async (t) => {
  const parser = new ManifestParser(40);
  t.after(() => parser.close());
  const hungry = bytesOf(image('config', [], { annotations: manyAnnotations(280_000) }));
  const large = bytesOf(image('config', [], { annotations: { pad: 'x'.repeat(100_000) } }));
  const outcomes = await Promise.allSettled([
    parser.parse(hungry, mediaTypes.ociManifest),
    parser.parse(large, undefined),
    parser.parse(large, undefined),
  ]);
  const [first, ...behind] = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as unknown) : undefined));
  assert.ok(first instanceof OciError && first.code === 'MANIFEST_INVALID');
  for (const error of behind) assert.ok(error instanceof RegistryError && error.error === 'UNAVAILABLE');
  assert.deepEqual((await parser.parse(large, undefined)).blobs, [digestOf('config')]);
});

test('so many large manifests at once, the others in their order', async () => {
  const gate = new LargeManifestGate({ atOnce: 2, maxWaiting: 3 });
  await gate.enter(never);
  await gate.enter(never);
  const entered: number[] = [];
  const gone = new AbortController();
  const waiting = [
    gate.enter(never).then(() => entered.push(1)),
    gate.enter(gone.signal),
    gate.enter(never).then(() => entered.push(3)),
  ];
  await assert.rejects(gate.enter(never), { error: 'UNAVAILABLE' });
  gone.abort(new Error('the client went away'));
  await assert.rejects(waiting[1] ?? Promise.resolve(), /the client went away/);
  gate.leave();
  await waiting[0];
  assert.deepEqual(entered, [1]);
  gate.leave();
  await waiting[2];
  assert.deepEqual(entered, [1, 3]);
  gate.leave();
  gate.leave();
  await gate.enter(never);
  await assert.rejects(gate.enter(gone.signal), /the client went away/);
});

test('a body waits on the wire until there is room for it', async () => {
  const body = new PassThrough();
  const room = Promise.withResolvers<void>();
  let asked = 0;
  const received = receiveManifest({
    body,
    contentLength: undefined,
    onLarge: () => {
      asked += 1;
      return room.promise;
    },
  });
  let written = 0;
  while (body.write(Buffer.alloc(16_384)) && written < maxManifestBytes) {
    written += 16_384;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(written < 200_000, `${written} bytes were taken before there was room`);
  assert.equal(asked, 1);
  room.resolve();
  body.end(Buffer.alloc(100_000));
  assert.equal((await received).length, written + 16_384 + 100_000);
  assert.equal(asked, 1);
});

test('a large body that dawdles is cut off', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const body = new PassThrough();
  const received = receiveManifest({ body, contentLength: undefined, onLarge: async () => {} });
  body.write(Buffer.alloc(70_000));
  const outcome = assert.rejects(received, { error: 'REQUEST_TIMEOUT' });
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(120_000);
  await outcome;
  assert.equal(body.destroyed, true);
});

test('a client that goes away leaves nothing behind', async () => {
  const body = new PassThrough();
  const received = receiveManifest({ body, contentLength: 100, onLarge: async () => {} });
  body.write('{');
  body.destroy(new Error('aborted'));
  await assert.rejects(received, /aborted/);
});
