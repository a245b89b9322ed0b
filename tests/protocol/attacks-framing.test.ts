import assert from 'node:assert/strict';
import { digestOf, randomBytesOf, randomImage } from '@berth/testkit';
import { type Protocol, assertStatus, protocolTests } from './protocol-tests.ts';
import { exchange } from './raw-connection.ts';
import { start } from './uploads.ts';

const hostOf = ({ url }: Protocol): string => new URL(url).host;

/** A request that would delete a tag, to be hidden in the body of another. */
function hidden(protocol: Protocol, repository: string): string {
  return `DELETE /v2/${repository}/manifests/keep HTTP/1.1\r\nHost: ${hostOf(protocol)}\r\nAuthorization: ${protocol.client.basic}\r\nContent-Length: 0\r\n\r\n`;
}

/** Headers that two servers in a row could frame in two ways (RFC 9112, section 6.3). `N` is the length of the body. */
const ambiguous: readonly (readonly [string, readonly string[]])[] = [
  ['two different Content-Lengths', ['Content-Length: 0', 'Content-Length: N']],
  ['two lengths in one header', ['Content-Length: 0, N']],
  ['a length and chunks', ['Content-Length: N', 'Transfer-Encoding: chunked']],
  ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 0']],
  ['an unknown coding', ['Transfer-Encoding: xchunked']],
  ['chunked not last', ['Transfer-Encoding: chunked, identity']],
  ['chunked twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  ['a space before the colon', ['Transfer-Encoding : chunked']],
  ['a folded header', ['Transfer-Encoding:\r\n chunked']],
  ['a vertical tab', ['Transfer-Encoding: \x0bchunked']],
  ['a bare line feed', ['X-Foo: a\nTransfer-Encoding: chunked']],
  ['a NUL in a header', ['X-Foo: a\0b']],
  ['a negative length', ['Content-Length: -1']],
  ['a length with a sign', ['Content-Length: +5']],
  ['a hexadecimal length', ['Content-Length: 0x10']],
  ['a length beyond all numbers', ['Content-Length: 99999999999999999999999']],
  ['an empty length', ['Content-Length: ']],
];

protocolTests(
  'attack 12: framing of requests',
  (check) => {
    for (const [what, headers] of ambiguous) {
      for (const method of ['PUT', 'PATCH', 'GET']) {
        check(`${what}, ${method}: refused or taken as one request, and what is hidden in it is not done`, async (protocol) => {
          const { client } = protocol;
          const repository = protocol.newRepository();
          await client.pushImage(repository, randomImage(), 'keep');
          const path = method === 'PATCH' ? await start(protocol, repository) : `/v2/${repository}/manifests/keep`;
          const smuggled = hidden(protocol, repository);
          const body = `0\r\n\r\n${smuggled}`;
          const lines = headers.map((header) => header.replace('N', String(body.length)));
          const head = [
            `${method} ${path} HTTP/1.1`,
            `Host: ${hostOf(protocol)}`,
            `Authorization: ${client.basic}`,
            ...lines,
            '',
            '',
          ].join('\r\n');
          const answers = await exchange(protocol.url, [Buffer.from(head + body, 'latin1')]);
          assert.ok(answers.length <= 2);
          for (const { status } of answers)
            assert.ok(status >= 400 || answers.length === 1, answers.map((answer) => answer.status).join(', '));
          assertStatus(await client.request('HEAD', `/v2/${repository}/manifests/keep`), 200);
        });
      }
    }

    check('an address with a host counts by its path alone', async (protocol) => {
      const { client } = protocol;
      const repository = protocol.newRepository();
      const send = (method: string, target: string, host: string) =>
        exchange(
          protocol.url,
          [
            `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${client.basic}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
          ],
          { isHeldOpen: true },
        );
      const [ping] = await send('GET', 'http://evil.example/v2/', hostOf(protocol));
      assert.equal(ping?.status, 200);
      const [started] = await send('POST', `http://evil.example/v2/${repository}/blobs/uploads/`, hostOf(protocol));
      assert.equal(started?.status, 202);
      assert.equal(started.head.includes('evil'), false);
      for (const target of ['*', 'evil.example:443', 'ftp://evil.example/v2/', '', 'v2/', '?x', '/v2/?'.repeat(3)]) {
        const [answer] = await send('GET', target, hostOf(protocol));
        assert.ok(answer === undefined || [200, 400, 404].includes(answer.status), `${target}: ${answer?.status}`);
      }
    });

    check('a Host that is no host is refused and not repeated', async (protocol) => {
      for (const host of ['', 'a b', 'a"b', 'evil.example/v2', 'a@b', 'a<script>', "a'", 'a:99999999', '[::1', 'a,b']) {
        const [answer] = await exchange(protocol.url, [`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`], {
          isHeldOpen: true,
        });
        assert.equal(answer?.status, 400, host);
        if (host !== '') assert.equal(answer.head.includes(host), false);
      }
      for (const lines of [[], ['Host: a', 'Host: b']]) {
        const [answer] = await exchange(
          protocol.url,
          [['GET /v2/ HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n')],
          { isHeldOpen: true },
        );
        assert.equal(answer?.status, 400);
      }
    });

    check('headers of strangers do not change realm or Location where no proxy is trusted', async (protocol) => {
      const { client, newRepository, url } = protocol;
      const headers = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-port': '1',
        forwarded: 'host=evil.example',
        'x-host': 'evil.example',
      };
      const asked = await client.request('GET', '/v2/', { headers, authorization: 'none' });
      assert.ok(String(asked.headers['www-authenticate']).includes(`realm="${url}/oauth2/token"`));
      const started = await client.request('POST', `/v2/${newRepository()}/blobs/uploads/`, {
        headers,
        authorization: client.basic,
      });
      assert.match(String(started.headers.location), /^\/v2\//);
    });

    check('a query cannot break out of a header', async ({ client, newRepository }) => {
      const repository = newRepository();
      const digest = digestOf(randomBytesOf(1));
      const evil = '%0d%0aX-Evil:%201';
      const paths = [
        `/v2/${repository}/tags/list?n=1${evil}`,
        `/v2/${repository}/tags/list?last=${evil}&n=1`,
        `/v2/${repository}/referrers/${digest}?artifactType=${evil}`,
        `/v2/_catalog?last=${evil}`,
      ];
      for (const path of paths)
        assert.equal((await client.request('GET', path, { authorization: client.basic })).headers['x-evil'], undefined);
    });

    check(
      'a method or version that nobody knows, a plain TLS hello, and noise are refused, and the server lives on',
      async (protocol) => {
        const noise = [
          'BREW /v2/ HTTP/1.1\r\nHost: x\r\n\r\n',
          'GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n',
          'GET /v2/\r\n\r\n',
          Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
          randomBytesOf(4096),
          'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
          `GET /v2/ HTTP/1.1\r\nHost: x\r\n${'X-Many: y\r\n'.repeat(20_000)}\r\n`,
          `GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(200_000)}\r\n\r\n`,
        ];
        for (const bytes of noise) {
          const [answer] = await exchange(protocol.url, [bytes]);
          assert.ok(answer === undefined || answer.status >= 400, String(answer?.status));
        }
        assertStatus(await protocol.client.request('GET', '/v2/', { authorization: protocol.client.basic }), 200);
      },
    );
  },
  { isOnce: true },
);
