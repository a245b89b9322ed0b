import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RegistryClient, contentOf, randomBytesOf, randomImage, startRegistry } from '@berth/testkit';
import { type Protocol, assertError, assertStatus, protocolTests } from './protocol-tests.ts';
import { sendAndLeave } from './raw-connection.ts';
import { assertStored, start } from './uploads.ts';

/** Asks until the upload holds this many bytes: a broken connection is noticed a moment later. */
async function waitForBytes({ client }: Protocol, session: string, bytes: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; ; ) {
    const state = await client.request('GET', session);
    assertStatus(state, 204);
    if (state.headers.range === `0-${Math.max(0, bytes - 1)}`) return;
    assert.ok(Date.now() < deadline, `the upload stands at ${state.headers.range}, not at ${bytes} bytes`);
  }
}

function requestHead(protocol: Protocol, method: string, path: string, headers: readonly string[]): string {
  return [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(protocol.url).host}`,
    `Authorization: ${protocol.client.basic}`,
    ...headers,
    '',
    '',
  ].join('\r\n');
}

protocolTests('uploads that broke', (check) => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const framing of ['with a length', 'in chunks']) {
      check(`${algorithm}: what a broken PATCH ${framing} brought is kept, and the rest completes it`, async (protocol) => {
        const repository = protocol.newRepository();
        const blob = contentOf('application/octet-stream', randomBytesOf(150_000), algorithm);
        const session = await start(protocol, repository, `?digest-algorithm=${algorithm}`);
        const received = 90_000;
        const head = requestHead(protocol, 'PATCH', session, [
          framing === 'in chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${blob.bytes.length}`,
        ]);
        const size = framing === 'in chunks' ? `${received.toString(16)}\r\n` : '';
        await sendAndLeave(protocol.url, [head, size, blob.bytes.subarray(0, received)]);
        await waitForBytes(protocol, session, received);
        const rest = await protocol.client.request('PATCH', session, {
          body: blob.bytes.subarray(received),
          headers: { 'content-range': `${received}-${blob.bytes.length - 1}` },
        });
        assertStatus(rest, 202);
        assertStatus(await protocol.client.request('PUT', `${session}?digest=${blob.digest}`), 201);
        await assertStored(protocol, repository, blob);
      });
    }
  }

  check('a broken PUT commits nothing, and the session goes on from where it tells', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const blob = contentOf('application/octet-stream', randomBytesOf(10_000));
    const session = await start(protocol, repository);
    assertStatus(await client.request('PATCH', session, { body: blob.bytes.subarray(0, 4000) }), 202);
    const head = requestHead(protocol, 'PUT', `${session}?digest=${blob.digest}`, ['Content-Length: 6000']);
    await sendAndLeave(protocol.url, [head, blob.bytes.subarray(4000, 7000)]);
    const state = await client.request('GET', session);
    assertStatus(state, 204);
    assertStatus(await client.request('HEAD', `/v2/${repository}/blobs/${blob.digest}`), 404);
    const received = Number(/^0-(\d+)$/.exec(String(state.headers.range))?.[1]) + 1;
    assert.ok(received === 4000 || received === 7000, `${received} bytes`);
    await waitForBytes(protocol, session, received);
    assertStatus(await client.request('PUT', `${session}?digest=${blob.digest}`, { body: blob.bytes.subarray(received) }), 201);
    await assertStored(protocol, repository, blob);
  });

  check('a newer request takes over a session whose older one hangs', async (protocol) => {
    const { client } = protocol;
    const repository = protocol.newRepository();
    const blob = contentOf('application/octet-stream', randomBytesOf(1000));
    const session = await start(protocol, repository);
    const head = requestHead(protocol, 'PATCH', session, ['Content-Length: 1000']);
    // The request that hangs stays open with 400 of its 1000 bytes. The server may see it before or after any of the
    // others: it takes over those that it follows (400), and what it brought moves where they have to begin (416).
    await sendAndLeave(protocol.url, [head, blob.bytes.subarray(0, 400)], async () => {
      for (let status = 0; status !== 201; ) {
        const state = await client.request('GET', session);
        assertStatus(state, 204);
        const received = state.headers.range === '0-0' ? 0 : Number(String(state.headers.range).slice(2)) + 1;
        const headers = { 'content-range': `${received}-${blob.bytes.length - 1}` };
        const answer = await client.request('PUT', `${session}?digest=${blob.digest}`, {
          body: blob.bytes.subarray(received),
          headers,
        });
        ({ status } = answer);
        if (status === 400) assertError(answer, 400, 'BLOB_UPLOAD_INVALID');
        else assertStatus(answer, 201, 416);
      }
    });
    await assertStored(protocol, repository, blob);
  });
});

for (const algorithm of ['sha256', 'sha512'] as const) {
  test(`${algorithm}: an upload goes on after restarts of the server`, async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'berth-resume-'));
    t.after(() => rm(dataDir, { recursive: true, force: true }));
    const repository = `protocol/${randomUUID()}`;
    const blob = contentOf('application/octet-stream', randomBytesOf(2_500_000), algorithm);
    const third = Math.ceil(blob.bytes.length / 3);
    let session: string | undefined;
    for (const from of [0, third, 2 * third]) {
      const registry = await startRegistry({ dataDir });
      try {
        using client = new RegistryClient({ ...registry, scheme: 'basic' });
        session ??= String((await client.request('POST', `/v2/${repository}/blobs/uploads/`)).headers.location);
        const state = await client.request('GET', session);
        assertStatus(state, 204);
        assert.equal(state.headers.range, `0-${Math.max(0, from - 1)}`);
        const piece = blob.bytes.subarray(from, from + third);
        const headers = { 'content-range': `${from}-${from + piece.length - 1}` };
        assertStatus(await client.request('PATCH', session, { body: piece, headers }), 202);
        if (from < 2 * third) continue;
        assertStatus(await client.request('PUT', `${session}?digest=${blob.digest}`), 201);
        assert.ok((await client.pull(repository, 'blobs', blob.digest)).equals(blob.bytes));
        assertError(await client.request('GET', session), 404, 'BLOB_UPLOAD_UNKNOWN');
      } finally {
        await registry.stop();
      }
    }
  });
}

test('tokens and content stay good after a restart', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-restart-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  // The port changes with each start, and with it the name that tokens are made for, unless it is set.
  const settings = { loginServer: 'registry.example.com' };
  const image = randomImage();
  const repository = 'protocol/restarted';
  let authorization: string | undefined;
  for (const isFirst of [true, false]) {
    const registry = await startRegistry({ dataDir, settings });
    try {
      using client = new RegistryClient({ ...registry, scheme: 'basic' });
      if (isFirst) await client.pushImage(repository, image, 'latest');
      const path = `/oauth2/token?service=registry.example.com&scope=repository:${repository}:pull`;
      authorization ??= `Bearer ${(JSON.parse((await client.request('GET', path)).body.toString()) as { access_token: string }).access_token}`;
      const answer = await client.request('GET', `/v2/${repository}/manifests/latest`, { authorization });
      assertStatus(answer, 200);
      assert.ok(answer.body.equals(image.manifest.bytes));
      for (const { digest, bytes } of image.layers) assert.ok((await client.pull(repository, 'blobs', digest)).equals(bytes));
    } finally {
      await registry.stop();
    }
  }
});
