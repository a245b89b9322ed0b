import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { openLocalCertificate } from '../../platform/tls/local-certificate.ts';
import { failure, json, peerAt, serveRegion, signal } from './test-peer.ts';

const content = randomBytes(3_000_000);
const wanted = { repository: 'a/b', digest: `sha256:${'a'.repeat(64)}` };

const ranges: RequestListener = (request, response) => {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(match?.[1] ?? 0);
  const end = match?.[2] ? Number(match[2]) + 1 : content.length;
  const range = match && { 'content-range': `bytes ${start}-${end - 1}/${content.length}` };
  response.writeHead(match === null ? 200 : 206, { 'content-length': end - start, ...range }).end(content.subarray(start, end));
};

async function bytesOf(body: Readable): Promise<Buffer> {
  return Buffer.concat((await body.toArray()) as Buffer[]);
}

test('a blob comes whole, or the range that was asked for', async (t) => {
  const peer = peerAt(t, (await serveRegion(t, ranges)).url);
  const cases: readonly { readonly start?: number; readonly end?: number }[] = [
    {},
    { start: 0, end: 10 },
    { start: 5 },
    { start: 5, end: 2_000_000 },
  ];
  for (const range of cases) {
    const blob = await peer.blob('local', { ...wanted, ...range }, signal);
    assert.equal(blob?.sizeBytes, content.length);
    assert.ok((await bytesOf(blob.body)).equals(content.subarray(range.start, range.end)));
  }
});

test('connections of blobs that were read to their end are used again', async (t) => {
  const west = await serveRegion(t, ranges);
  const peer = peerAt(t, west.url);
  for (let count = 0; count < 4; count += 1) {
    const blob = await peer.blob('local', wanted, signal);
    assert.ok(blob !== undefined);
    await bytesOf(blob.body);
  }
  assert.equal(west.connections(), 1);
});

test('attack 29: answers that promise something else than was asked for are damaged', async (t) => {
  const answers: readonly RequestListener[] = [
    (_, response) => void response.end(content),
    (_, response) => void response.writeHead(206, { 'content-length': 10 }).end(content.subarray(0, 10)),
    (_, response) =>
      void response.writeHead(206, { 'content-length': 10, 'content-range': 'bytes 1-10/100' }).end(content.subarray(0, 10)),
    (_, response) =>
      void response.writeHead(206, { 'content-length': 9, 'content-range': 'bytes 0-9/100' }).end(content.subarray(0, 9)),
    (_, response) => void response.writeHead(206, { 'content-range': 'bytes 0-9/100' }).end(content.subarray(0, 10)),
    (_, response) =>
      void response
        .writeHead(206, { 'content-length': 10, 'content-range': 'bytes 0-9/100', 'content-encoding': 'gzip' })
        .end(content.subarray(0, 10)),
  ];
  for (const answer of answers) {
    const peer = peerAt(t, (await serveRegion(t, answer)).url);
    await failure(peer.blob('local', { ...wanted, start: 0, end: 10 }, signal), 'damaged');
  }
  const chunked = await serveRegion(t, (_, response) => {
    response.write('a');
    response.end('b');
  });
  await failure(peerAt(t, chunked.url).blob('local', wanted, signal), 'damaged');
});

test('a blob that breaks off or stops is an error, never a shorter blob', async (t) => {
  const breaking = await serveRegion(t, (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1_000_000), () => response.destroy());
  });
  const halting = await serveRegion(t, (_, response) => {
    response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1_000_000));
  });
  for (const { url } of [breaking, halting]) {
    const peer = peerAt(t, url, { limits: { idleMs: 50 } });
    const blob = await peer.blob('local', wanted, signal);
    assert.ok(blob !== undefined);
    await failure(bytesOf(blob.body), 'unreachable');
    // It answers: others need not wait.
    assert.ok(peer.isUp);
  }
});

test('whoever reads slowly makes the sender wait, and is not given up for it', async (t) => {
  // More than is read ahead, and than the system keeps on the way.
  const long = Buffer.concat(Array.from({ length: 8 }, () => content));
  const west = await serveRegion(t, (_, response) => void response.end(long));
  const blob = await peerAt(t, west.url, { limits: { idleMs: 200 } }).blob('local', wanted, signal);
  assert.ok(blob !== undefined);
  const read: Buffer[] = [];
  for await (const chunk of blob.body as AsyncIterable<Buffer>) {
    read.push(chunk);
    // Longer than a sender may be silent.
    if (read.length < 3) await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(blob.body.readableLength <= 5_000_000);
  }
  assert.ok(Buffer.concat(read).equals(long));
});

test('whoever has enough ends the connection', async (t) => {
  const closed = Promise.withResolvers<void>();
  const west = await serveRegion(t, (_, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200, { 'content-length': 2 ** 40 });
    response.write(content);
  });
  const abort = new AbortController();
  const blob = await peerAt(t, west.url).blob('local', wanted, abort.signal);
  assert.ok(blob !== undefined);
  const reading = bytesOf(blob.body);
  abort.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  await closed.promise;
});

async function certificates(
  t: TestContext,
): Promise<{ readonly key: string; readonly cert: string; readonly authority: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-peers-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { key, cert, authorityFile } = await openLocalCertificate({ folder, names: [], now: Date.now() });
  return { key, cert, authority: await readFile(authorityFile, 'utf8') };
}

test('TLS: only authorities that the operator or the system trusts, and only the name that was given', async (t) => {
  const [mine, other] = [await certificates(t), await certificates(t)];
  const west = await serveRegion(t, json({ region: 'west' }), mine);
  const { remedy } = await failure(peerAt(t, west.url).facts(signal), 'unreachable');
  assert.match(remedy, /peerCa/);
  await failure(peerAt(t, west.url, { authorities: other.authority }).facts(signal), 'unreachable');
  assert.equal(west.seen.length, 0);
  // It is let in, and then judged by what it says.
  await failure(peerAt(t, west.url, { authorities: mine.authority }).facts(signal), 'damaged');
  assert.equal(west.seen.length, 1);
  const blobs = await serveRegion(t, ranges, mine);
  const blob = await peerAt(t, blobs.url, { authorities: mine.authority }).blob('local', wanted, signal);
  assert.ok(blob !== undefined && (await bytesOf(blob.body)).equals(content));
});
