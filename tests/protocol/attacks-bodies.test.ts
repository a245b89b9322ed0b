import assert from 'node:assert/strict';
import { contentOf, digestOf, randomBytesOf, randomImage } from '@berth/testkit';
import { type Protocol, assertStatus, protocolTests } from './protocol-tests.ts';
import { exchange, sendAndLeave } from './raw-connection.ts';
import { assertStored, start } from './uploads.ts';

function headOf({ url, client }: Protocol, method: string, path: string, headers: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, `Host: ${new URL(url).host}`, `Authorization: ${client.basic}`, ...headers, '', ''].join(
    '\r\n',
  );
}

async function receivedBytes({ client }: Protocol, session: string): Promise<number> {
  const state = await client.request('GET', session);
  assertStatus(state, 204);
  const last = Number(/^0-(\d+)$/.exec(String(state.headers.range))?.[1]);
  return last === 0 ? 0 : last + 1;
}

/** Goes on with an upload as a client does that lost its connection: from where the session says, until it is done. */
async function finish(protocol: Protocol, session: string, bytes: Buffer): Promise<void> {
  const digest = digestOf(bytes);
  for (let status = 416, isOneByte = false; status !== 201; ) {
    // `0-0` says "nothing" and "one byte"; that nothing was refused tells them apart.
    const received: number = isOneByte ? 1 : await receivedBytes(protocol, session);
    assert.ok(received <= bytes.length);
    const headers = received < bytes.length ? { 'content-range': `${received}-${bytes.length - 1}` } : {};
    const answer = await protocol.client.request('PUT', `${session}?digest=${digest}`, {
      body: bytes.subarray(received),
      headers,
    });
    assertStatus(answer, 201, 416);
    ({ status } = answer);
    isOneByte = received === 0;
  }
}

protocolTests(
  'attack 8: bodies that lie, stop or crawl',
  (check) => {
    check('a connection that ends at any byte of a chunk leaves a usable session', async (protocol) => {
      const repository = protocol.newRepository();
      for (let length = 0; length <= 40; length += 1) {
        const bytes = randomBytesOf(40);
        const session = await start(protocol, repository);
        await sendAndLeave(protocol.url, [headOf(protocol, 'PATCH', session, ['Content-Length: 40']), bytes.subarray(0, length)]);
        await finish(protocol, session, bytes);
        await assertStored(protocol, repository, contentOf('application/octet-stream', bytes));
      }
    });

    check(
      'a connection that ends at any byte of the head, or of the framing of chunks, changes nothing or keeps what came',
      async (protocol) => {
        const repository = protocol.newRepository();
        const bytes = randomBytesOf(20);
        const head = headOf(protocol, 'PATCH', '/SESSION', ['Transfer-Encoding: chunked']);
        const whole = (session: string) =>
          Buffer.concat([
            Buffer.from(head.replace('/SESSION', session)),
            Buffer.from('14\r\n'),
            bytes,
            Buffer.from('\r\n0\r\n\r\n'),
          ]);
        const end = whole(await start(protocol, repository)).length;
        const cuts = Array.from({ length: end }, (_, cut) => cut).filter((cut) => cut % 29 === 0 || cut > end - 35);
        for (const cut of cuts) {
          const session = await start(protocol, repository);
          await sendAndLeave(protocol.url, [whole(session).subarray(0, cut)]);
          await finish(protocol, session, bytes);
        }
      },
    );

    check('a manifest that breaks off at any byte is never there', async (protocol) => {
      const { client } = protocol;
      const repository = protocol.newRepository();
      const image = randomImage({ layers: 1 });
      for (const { bytes } of [image.config, ...image.layers]) await client.pushBlob(repository, bytes);
      const { bytes, mediaType, digest } = image.manifest;
      const head = headOf(protocol, 'PUT', `/v2/${repository}/manifests/latest`, [
        `Content-Type: ${mediaType}`,
        `Content-Length: ${bytes.length}`,
      ]);
      for (let cut = 0; cut < bytes.length; cut += 41) {
        await sendAndLeave(protocol.url, [head, bytes.subarray(0, cut)]);
        for (const reference of ['latest', digest])
          assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/${reference}`), 404);
      }
      await client.pushManifest(repository, image.manifest, 'latest');
    });

    check('more bytes than announced belong to no chunk', async (protocol) => {
      const repository = protocol.newRepository();
      const session = await start(protocol, repository);
      const answers = await exchange(protocol.url, [
        headOf(protocol, 'PATCH', session, ['Content-Length: 10']),
        'abcdefghij',
        'and some more that is no request\r\n\r\n',
      ]);
      // Node's parser meets the noise before the first answer is out, and ends the connection at once.
      assert.ok(answers.length >= 1 && answers.every(({ status }) => status === 202 || status === 400));
      await finish(protocol, session, Buffer.from('abcdefghij'));
    });

    check('fewer bytes than announced are kept and not taken for the whole', async (protocol) => {
      const repository = protocol.newRepository();
      const bytes = randomBytesOf(5000);
      const session = await start(protocol, repository);
      const path = `${session}?digest=${digestOf(bytes.subarray(0, 2000))}`;
      // Half-closed: the client could still read an answer.
      const answers = await exchange(protocol.url, [
        headOf(protocol, 'PUT', path, ['Content-Length: 5000']),
        bytes.subarray(0, 2000),
      ]);
      assert.ok(answers.every(({ status }) => status >= 400));
      assertStatus(await protocol.client.request('HEAD', `/v2/${repository}/blobs/${digestOf(bytes.subarray(0, 2000))}`), 404);
      await finish(protocol, session, bytes);
    });

    check('chunk sizes that are none end the request, and what came before is kept', async (protocol) => {
      for (const size of ['zz', '-1', 'ffffffffffffffffff', '5;ext="\n"', '0x5', ' 5', '+5']) {
        const session = await start(protocol, protocol.newRepository());
        const head = headOf(protocol, 'PATCH', session, ['Transfer-Encoding: chunked']);
        const answers = await exchange(protocol.url, [head, '3\r\nabc\r\n', `${size}\r\nabcde\r\n0\r\n\r\n`]);
        assert.ok(
          answers.length <= 1 && answers.every(({ status }) => status === 400 || status === 202),
          `${size}: ${answers[0]?.status}`,
        );
        assertStatus(await protocol.client.request('DELETE', session), 204);
      }
    });

    check('a client that waits to be asked for its body is asked, or refused before it sends', async (protocol) => {
      const repository = protocol.newRepository();
      const session = await start(protocol, repository);
      const expect = 'Expect: 100-continue';
      const asked = await exchange(
        protocol.url,
        [headOf(protocol, 'PATCH', session, ['Content-Length: 5', expect, 'Connection: close']), 'abcde'],
        { isHeldOpen: true },
      );
      assert.deepEqual(
        asked.map(({ status }) => status),
        [100, 202],
      );
      const refused = await exchange(
        protocol.url,
        [`PATCH ${session} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n${expect}\r\nConnection: close\r\n\r\n`],
        { isHeldOpen: true },
      );
      assert.equal(refused.at(-1)?.status, 401);
    });
  },
  { isOnce: true },
);

/** What is wrong with a chunk of five letters after ten, its Content-Range, and the status that it gets. */
const misplaced: readonly (readonly [string, string, number, string?])[] = [
  ['overlaps at the front', '0-4', 416],
  ['overlaps the end', '5-14', 416, 'abcdefghij'],
  ['repeats what is there', '0-9', 416, 'abcdefghij'],
  ['leaves a gap', '11-15', 416],
  ['begins far out', '9007199254740990-9007199254740994', 416],
  ['begins beyond all numbers', '99999999999999999999-99999999999999999999', 416],
  ['is negative', '-1', 416],
  ['is open', '10-', 416],
  ['runs backwards', '14-10', 416],
  ['is longer than the body', '10-15', 400],
  ['is shorter than the body', '10-13', 400],
  ['is a word', 'abc', 416],
  ['is hexadecimal', '0xa-0xe', 416],
  ['is two ranges', '10-14,15-19', 416],
];

protocolTests('attack 9: Content-Range of chunks', (check) => {
  for (const [what, range, status, body = 'abcde'] of misplaced) {
    check(`a chunk that ${what} is refused, and nothing changes`, async (protocol) => {
      const { client } = protocol;
      const repository = protocol.newRepository();
      const session = await start(protocol, repository);
      assertStatus(await client.request('PATCH', session, { body: '0123456789', headers: { 'content-range': '0-9' } }), 202);
      const digest = digestOf(Buffer.from('0123456789abcde'));
      for (const [method, path] of [
        ['PATCH', session],
        ['PUT', `${session}?digest=${digest}`],
      ] as const) {
        const refused = await client.request(method, path, { body, headers: { 'content-range': range } });
        assertStatus(refused, status);
        assert.equal(await receivedBytes(protocol, session), 10);
      }
      assertStatus(await client.request('HEAD', `/v2/${repository}/blobs/${digest}`), 404);
      assertStatus(
        await client.request('PUT', `${session}?digest=${digest}`, { body: 'abcde', headers: { 'content-range': '10-14' } }),
        201,
      );
      assert.equal((await client.pull(repository, 'blobs', digest)).toString(), '0123456789abcde');
    });
  }

  check('the refusal says where to go on', async (protocol) => {
    const session = await start(protocol, protocol.newRepository());
    assertStatus(await protocol.client.request('PATCH', session, { body: '0123456789' }), 202);
    const refused = await protocol.client.request('PATCH', session, { body: 'abcde', headers: { 'content-range': '20-24' } });
    assertStatus(refused, 416);
    assert.deepEqual([refused.headers.range, refused.headers.location], ['0-9', session]);
  });
});

protocolTests(
  'attack 8: clients that crawl',
  (check) => {
    check('a body drop by drop, and a head that never ends, are cut off, and the session goes on', async (protocol) => {
      const session = await start(protocol, protocol.newRepository());
      const crawl = exchange(protocol.url, [headOf(protocol, 'PATCH', session, ['Content-Length: 1000000']), 'some'], {
        isHeldOpen: true,
      });
      const endless = exchange(protocol.url, ['GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: '], { isHeldOpen: true });
      const idle = exchange(protocol.url, [], { isHeldOpen: true });
      const began = Date.now();
      const [slow, head, nothing] = await Promise.all([crawl, endless, idle]);
      assert.ok(Date.now() - began < 15_000);
      for (const { status } of [...slow, ...head, ...nothing]) assert.ok(status >= 400, String(status));
      await finish(protocol, session, Buffer.from('some more'));
    });
  },
  { isOnce: true, settings: { stallTimeout: '1s', headersTimeout: '1s', idleTimeout: '1s' } },
);
