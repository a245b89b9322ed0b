import assert from 'node:assert/strict';
import { contentOf, digestOf, randomBytesOf, randomImage } from '@berth/testkit';
import { type Protocol, assertStatus, protocolTests } from './protocol-tests.ts';
import { type RawAnswer, exchange } from './raw-connection.ts';
import { assertStored, chunked } from './uploads.ts';

/** One request whose path goes out exactly as it stands here: HTTP clients would tidy it up. */
async function send({ url, client }: Protocol, method: string, path: string): Promise<RawAnswer> {
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    `Authorization: ${client.basic}`,
    'Content-Length: 0',
    'Connection: close',
    '',
    '',
  ];
  const [answer, ...more] = await exchange(url, [Buffer.from(head.join('\r\n'), 'utf8')], { isHeldOpen: true });
  assert.ok(answer !== undefined && more.length === 0, `${more.length + 1} answers to ${method} ${path}`);
  return answer;
}

/** Names that the grammar refuses, as a client may write them into a path. */
const illegal = [
  '..',
  '.',
  'a/..',
  '../a',
  'a/../b',
  'a/./b',
  '%2e%2e',
  '%2e%2e/a',
  'a/%2e%2e/b',
  '%2e%2e%2fa',
  'a%252fb',
  'a%5cb',
  'a\\b',
  '..%5c..',
  'a//b',
  '/a',
  'a/',
  '//',
  'a%00',
  'a%0ab',
  'a%0d%0ab',
  'a%20b',
  'A',
  'a/B',
  'a..b',
  'a___b',
  '-a',
  'a-',
  '_a',
  'a:b',
  'a@b',
  '~a',
  '%7ea',
  '%e2%80%a4%e2%80%a4',
  '%ef%bc%8e%ef%bc%8e',
  '%c0%ae%c0%ae',
  '%c3%a9',
  '%ff',
  '%',
  '%zz',
  '%2',
  'a'.repeat(256),
  `${'a/'.repeat(128)}b`,
  'a'.repeat(5000),
  '_catalog',
  'a;b',
  "a'b",
  'a<b',
];

const legal = [
  'blobs',
  'uploads',
  'manifests',
  'tags',
  'referrers',
  'list',
  'v2',
  'a/manifests/b',
  'blobs/uploads',
  'tags/list',
  'manifests/latest',
  'x/blobs/uploads',
  'a/referrers/b',
  'a'.repeat(255),
  `${'a/'.repeat(127)}b`,
  '0',
];

protocolTests(
  'attack 2: names of repositories',
  (check) => {
    check(
      'a name that is none is 400 (or leads nowhere), for reading and for writing, and nothing comes to be',
      async (protocol) => {
        const digest = digestOf(randomBytesOf(1));
        for (const name of illegal) {
          for (const [method, rest] of [
            ['GET', 'tags/list'],
            ['GET', 'manifests/latest'],
            ['HEAD', `blobs/${digest}`],
            ['POST', 'blobs/uploads/'],
            ['PUT', 'manifests/latest'],
            ['DELETE', 'manifests/latest'],
            ['GET', `referrers/${digest}`],
          ] as const) {
            const answer = await send(protocol, method, `/v2/${name}/${rest}`);
            assert.ok(
              answer.status === 400 || answer.status === 404,
              `${method} /v2/${name.slice(0, 60)}/${rest}: ${answer.status} ${answer.body}`,
            );
            if (method === 'POST') assert.equal(/^location:/im.test(answer.head), false);
            if (answer.status === 400 && method === 'GET' && answer.body !== '')
              assert.match(answer.body, /"errors":\[\{"code":"/);
          }
        }
        const catalog = await protocol.client.request('GET', '/v2/_catalog', { authorization: protocol.client.basic });
        assert.deepEqual(JSON.parse(catalog.body.toString()), { repositories: [] });
      },
    );

    check('the message says what is wrong with the name', async (protocol) => {
      for (const [name, message] of [
        ['a//b', /slash/],
        ['A', /upper-case/],
        ['a'.repeat(256), /255/],
        ['a%252Fb', /NAME_INVALID/],
      ] as const) {
        const answer = await send(protocol, 'GET', `/v2/${name}/tags/list`);
        assert.equal(answer.status, 400);
        assert.match(answer.body, message);
      }
    });

    check('a name too long for the headers is 414 or 431, and the server lives on', async (protocol) => {
      const [answer] = await exchange(protocol.url, [`GET /v2/${'a'.repeat(100_000)}/tags/list HTTP/1.1\r\nHost: x\r\n\r\n`], {
        isHeldOpen: true,
      });
      assert.ok(answer === undefined || [400, 414, 431].includes(answer.status));
      assertStatus(await protocol.client.request('GET', '/v2/'), 200);
    });

    for (const repository of legal) {
      check(`words of the API are good names: ${repository.slice(0, 30)}`, async (protocol) => {
        const { client } = protocol;
        const image = randomImage({ layers: 1 });
        await client.pushImage(repository, image, 'list');
        const blob = contentOf('application/octet-stream', randomBytesOf(2000));
        assertStatus(await chunked(protocol, repository, blob), 201);
        await assertStored(protocol, repository, blob);
        const tags = await client.request('GET', `/v2/${repository}/tags/list`);
        assert.deepEqual(JSON.parse(tags.body.toString()), { name: repository, tags: ['list'] });
        for (const reference of ['list', image.manifest.digest])
          assert.ok((await client.pull(repository, 'manifests', reference)).equals(image.manifest.bytes));
        assertStatus(await client.request('GET', `/v2/${repository}/referrers/${image.manifest.digest}`), 200);
        assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/list`), 202);
        assertStatus(await client.request('DELETE', `/v2/${repository}/blobs/${blob.digest}`), 202);
      });
    }
  },
  { isOnce: true },
);
