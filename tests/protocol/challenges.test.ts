import assert from 'node:assert/strict';
import { type ClientAnswer, RegistryClient, contentOf, parseChallenge, randomBytesOf, randomImage } from '@berth/testkit';
import { type Protocol, assertError, assertStatus, protocolTests } from './protocol-tests.ts';
import { assertStored } from './uploads.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const session = '00000000-0000-4000-8000-000000000000';

/** Every operation on content, and what its challenge must ask for. */
const operations: readonly (readonly [string, string, string])[] = [
  ['GET', `blobs/${digest}`, 'pull'],
  ['HEAD', `blobs/${digest}`, 'pull'],
  ['DELETE', `blobs/${digest}`, 'delete'],
  ['POST', 'blobs/uploads/', 'pull,push'],
  ['POST', `blobs/uploads/?digest=${digest}`, 'pull,push'],
  ['GET', `blobs/uploads/${session}`, 'pull,push'],
  ['PATCH', `blobs/uploads/${session}`, 'pull,push'],
  ['PUT', `blobs/uploads/${session}?digest=${digest}`, 'pull,push'],
  ['DELETE', `blobs/uploads/${session}`, 'pull,push'],
  ['GET', 'manifests/latest', 'pull'],
  ['HEAD', `manifests/${digest}`, 'pull'],
  ['PUT', 'manifests/latest', 'pull,push'],
  ['DELETE', 'manifests/latest', 'delete'],
  ['GET', 'tags/list', 'pull'],
  ['GET', `referrers/${digest}`, 'pull'],
];

function challengeOf(answer: ClientAnswer): ReturnType<typeof parseChallenge> {
  assertStatus(answer, 401);
  const header = answer.headers['www-authenticate'];
  assert.ok(header !== undefined);
  // Two headers come joined: strict clients read the first alone, so there must be one.
  assert.equal(header.match(/realm=/g)?.length, 1);
  return parseChallenge(header);
}

const scopesOf = (text: string | undefined): string[] => (text ?? '').split(' ').toSorted();

async function tokenWith({ client, url }: Protocol, scope: string): Promise<string> {
  const service = challengeOf(await client.request('GET', '/v2/', { authorization: 'none' })).service ?? '';
  const answer = await client.request('GET', `${url}/oauth2/token?service=${service}&scope=${encodeURIComponent(scope)}`, {
    authorization: client.basic,
  });
  assertStatus(answer, 200);
  const { access_token: access, token } = JSON.parse(answer.body.toString()) as { access_token: string; token: string };
  assert.equal(access, token);
  return `Bearer ${access}`;
}

protocolTests('challenges', (check) => {
  check(
    'without credentials every operation asks for a token of what it needs, in words that strict clients read',
    async ({ client, url, newRepository }) => {
      const repository = newRepository();
      for (const [method, path, actions] of operations) {
        const answer = await client.request(method, `/v2/${repository}/${path}`, { authorization: 'none' });
        const { scheme, realm, service, scope } = challengeOf(answer);
        assert.deepEqual(
          [scheme, realm, scope],
          ['bearer', `${url}/oauth2/token`, `repository:${repository}:${actions}`],
          `${method} ${path}`,
        );
        assert.equal(service, new URL(url).host);
        assert.equal(/basic/i.test(String(answer.headers['www-authenticate'])), false);
        if (method === 'HEAD') assert.equal(answer.body.length, 0);
        else assertError(answer, 401, 'UNAUTHORIZED');
      }
    },
  );

  check('the ping and the catalog ask, too', async ({ client }) => {
    assert.equal(challengeOf(await client.request('GET', '/v2/', { authorization: 'none' })).scope, undefined);
    assert.equal(challengeOf(await client.request('GET', '/v2/_catalog', { authorization: 'none' })).scope, 'registry:catalog:*');
  });

  check('a mount asks for both repositories in one text', async ({ client, newRepository }) => {
    const [source, target] = [newRepository(), newRepository()];
    const { scope } = challengeOf(
      await client.request('POST', `/v2/${target}/blobs/uploads/?mount=${digest}&from=${source}`, { authorization: 'none' }),
    );
    assert.deepEqual(scopesOf(scope), [`repository:${source}:pull`, `repository:${target}:pull,push`].toSorted());
  });

  check('a token for the target alone is asked to cover the source, too, and then mounts', async (protocol) => {
    const { client, newRepository } = protocol;
    const [source, target] = [newRepository(), newRepository()];
    const blob = contentOf('application/octet-stream', randomBytesOf(100));
    await client.pushBlob(source, blob.bytes);
    const path = `/v2/${target}/blobs/uploads/?mount=${blob.digest}&from=${source}`;
    const refused = await client.request('POST', path, {
      authorization: await tokenWith(protocol, `repository:${target}:pull,push`),
    });
    const { scope } = challengeOf(refused);
    assert.deepEqual(scopesOf(scope), [`repository:${source}:pull`, `repository:${target}:pull,push`].toSorted());
    assertStatus(await client.request('POST', path, { authorization: await tokenWith(protocol, scope ?? '') }), 201);
    await assertStored(protocol, target, blob);
  });

  check('attack 15: a mount from anywhere with a token of one repository finds nothing', async (protocol) => {
    const { client, newRepository } = protocol;
    const [source, target] = [newRepository(), newRepository()];
    const known = await client.pushBlob(source, randomBytesOf(100));
    const authorization = await tokenWith(protocol, `repository:${target}:pull,push`);
    assertStatus(await client.request('POST', `/v2/${target}/blobs/uploads/?mount=${known}`, { authorization }), 202);
    assertStatus(await client.request('HEAD', `/v2/${target}/blobs/${known}`, { authorization }), 404);
  });

  check('attack 13: a token of one repository opens no other, and a token to pull does not push', async (protocol) => {
    const { client, newRepository } = protocol;
    const repository = newRepository();
    await client.pushImage(repository, randomImage(), 'latest');
    const pull = await tokenWith(protocol, `repository:${repository}:pull`);
    assertStatus(await client.request('GET', `/v2/${repository}/manifests/latest`, { authorization: pull }), 200);
    for (const other of [`${repository}2`, `${repository}/sub`, repository.slice(0, -1), newRepository()]) {
      const { scope } = challengeOf(await client.request('GET', `/v2/${other}/manifests/latest`, { authorization: pull }));
      assert.equal(scope, `repository:${other}:pull`);
    }
    const refused = await client.request('POST', `/v2/${repository}/blobs/uploads/`, { authorization: pull });
    assert.match(String(refused.headers['www-authenticate']), /error="insufficient_scope"/);
    assertStatus(refused, 401);
    const push = await tokenWith(protocol, `repository:${repository}:pull,push`);
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/latest`, { authorization: push }), 401);
  });

  check('Basic opens every route directly, as benchmarks and old clients use it', async (protocol) => {
    const { username, password, url } = protocol;
    using client = new RegistryClient({ url, username, password, scheme: 'basic' });
    const repository = protocol.newRepository();
    await client.pushImage(repository, randomImage(), 'latest');
    for (const path of ['/v2/', '/v2/_catalog', `/v2/${repository}/tags/list`, `/v2/${repository}/manifests/latest`])
      assertStatus(await client.request('GET', path), 200);
    assertStatus(await client.request('DELETE', `/v2/${repository}/manifests/latest`), 202);
  });

  check('wrong, broken and unknown credentials are 401 with a challenge, never 500', async ({ client, username }) => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    const bad = [
      basic(`${username}:wrong`),
      basic('nobody:nothing'),
      basic(''),
      basic('no colon'),
      'Basic',
      'Basic !!!',
      'Bearer',
      'Bearer x.y.z',
      'Digest username="x"',
      'Bearer ..',
      basic(`${username}:${'x'.repeat(5000)}`),
    ];
    for (const authorization of bad) challengeOf(await client.request('GET', '/v2/', { authorization }));
  });
});

protocolTests(
  'a login server of another name',
  (check) => {
    check(
      'attack 12: neither Host nor X-Forwarded headers of a stranger reach realm, service or Location',
      async ({ client, newRepository }) => {
        const strangers = {
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'gopher',
          'x-forwarded-for': '10.0.0.1',
          'x-original-url': '/evil',
          forwarded: 'host=evil.example;proto=http',
        };
        for (const headers of [strangers, { ...strangers, host: 'evil.example' }]) {
          const asked = challengeOf(await client.request('GET', '/v2/', { headers, authorization: 'none' }));
          assert.deepEqual([asked.realm, asked.service], ['https://registry.example.com/oauth2/token', 'registry.example.com']);
          const started = await client.request('POST', `/v2/${newRepository()}/blobs/uploads/`, {
            headers,
            authorization: client.basic,
          });
          assertStatus(started, 202);
          assert.match(String(started.headers.location), /^\/v2\//);
          assert.equal(JSON.stringify(started.headers).includes('evil'), false);
        }
      },
    );
  },
  { settings: { loginServer: 'https://registry.example.com' }, isOnce: true },
);
