import assert from 'node:assert/strict';
import { type ClientAnswer, RegistryClient } from '@berth/testkit';
import { type Protocol, assertError, assertStatus, protocolTests } from './protocol-tests.ts';

interface Tokens {
  readonly access_token: string;
  readonly token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const guid = '00000000-0000-0000-0000-000000000000';

function post({ client }: Protocol, form: Readonly<Record<string, string>> | string): Promise<ClientAnswer> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return client.request('POST', '/oauth2/token', { body, headers, authorization: 'none' });
}

function tokensOf(answer: ClientAnswer): Tokens {
  assertStatus(answer, 200);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  assert.equal(answer.headers['cache-control'], 'no-store');
  return JSON.parse(answer.body.toString()) as Tokens;
}

protocolTests('the token service', (check) => {
  check('the same scope comes by GET and by POST, repeated or in one text', async (protocol) => {
    const { client, username, password, newRepository } = protocol;
    const [one, two] = [newRepository(), newRepository()];
    const scopes = [`repository:${one}:pull`, `repository:${two}:pull,push`];
    const repeated = new URLSearchParams(scopes.map((scope) => ['scope', scope]));
    const answers = [
      await client.request('GET', `/oauth2/token?service=any&${repeated}`, { authorization: client.basic }),
      await client.request('GET', `/oauth2/token?scope=${encodeURIComponent(scopes.join(' '))}&account=x&client_id=y`, {
        authorization: client.basic,
      }),
      await client.request('GET', `/oauth2/token?scope=${scopes.join('+')}`, { authorization: client.basic }),
      await post(protocol, {
        grant_type: 'password',
        username,
        password,
        service: 'any',
        scope: scopes.join(' '),
        client_id: 'x',
      }),
      await post(protocol, `${new URLSearchParams({ grant_type: 'password', username, password })}&${repeated}`),
    ];
    for (const answer of answers) {
      const { access_token: access, token, expires_in: seconds, issued_at: issued } = tokensOf(answer);
      assert.equal(access, token);
      assert.ok(seconds >= 60 && Math.abs(Date.parse(issued) - Date.now()) < 60_000);
      const authorization = `Bearer ${access}`;
      assertStatus(await client.request('GET', '/v2/', { authorization }), 200);
      assertStatus(await client.request('POST', `/v2/${two}/blobs/uploads/`, { authorization }), 202);
      assertStatus(await client.request('POST', `/v2/${one}/blobs/uploads/`, { authorization }), 401);
    }
  });

  check('an identity token signs in by POST, and as the password of the null user', async (protocol) => {
    const { client, username, password } = protocol;
    const first = tokensOf(await post(protocol, { grant_type: 'password', username, password, access_type: 'offline' }));
    const refreshToken = first.refresh_token ?? '';
    const scope = 'registry:catalog:*';
    const byPost = tokensOf(await post(protocol, { grant_type: 'refresh_token', refresh_token: refreshToken, scope }));
    const byGet = tokensOf(
      await client.request('GET', `/oauth2/token?scope=${scope}`, { authorization: basic(guid, refreshToken) }),
    );
    for (const { token } of [byPost, byGet])
      assertStatus(await client.request('GET', '/v2/_catalog', { authorization: `Bearer ${token}` }), 200);
    assertStatus(await client.request('GET', '/v2/_catalog', { authorization: basic(guid, refreshToken) }), 200);
    // Attack 20: it is no access token, no password of somebody else, and no access token stands in for it.
    for (const authorization of [`Bearer ${refreshToken}`, basic(username, refreshToken), basic(guid, byPost.token)])
      assertError(await client.request('GET', '/v2/', { authorization }), 401, 'UNAUTHORIZED');
    assertError(await post(protocol, { grant_type: 'refresh_token', refresh_token: byPost.token }), 401, 'UNAUTHORIZED');
  });

  check('an empty credential and none at all give a token of nobody', async (protocol) => {
    const { client, newRepository } = protocol;
    const scope = `repository:${newRepository()}:pull registry:catalog:*`;
    const answers = [
      await client.request('GET', `/oauth2/token?scope=${encodeURIComponent(scope)}`, { authorization: 'none' }),
      await post(protocol, { grant_type: 'password', username: '', password: '', scope }),
      await post(protocol, { grant_type: 'password', scope }),
    ];
    for (const answer of answers) {
      const authorization = `Bearer ${tokensOf(answer).token}`;
      assertError(await client.request('GET', '/v2/', { authorization }), 401, 'UNAUTHORIZED');
      assertError(await client.request('GET', '/v2/_catalog', { authorization }), 401, 'UNAUTHORIZED');
    }
  });

  check('bad credentials are 401, bad forms 400, and neither tells more', async (protocol) => {
    const { client, username, password } = protocol;
    const refused = [
      await client.request('GET', '/oauth2/token', { authorization: basic(username, 'wrong') }),
      await client.request('GET', '/oauth2/token', { authorization: basic('nobody', password) }),
      await post(protocol, { grant_type: 'password', username, password: 'wrong' }),
      await post(protocol, { grant_type: 'password', username }),
    ];
    for (const answer of refused) assertError(answer, 401, 'UNAUTHORIZED');
    // Attack 25: an unknown user and a wrong password look alike.
    assert.equal(
      new Set(
        refused.map((answer) => (JSON.parse(answer.body.toString()) as { errors: [{ message: string }] }).errors[0].message),
      ).size,
      1,
    );
    for (const authorization of ['Basic', 'Basic %%%', 'Bearer x', 'Negotiate abc'])
      assertError(await client.request('GET', '/oauth2/token', { authorization }), 401, 'UNAUTHORIZED');
    for (const form of [
      '',
      'grant_type=',
      'grant_type=client_credentials',
      'nonsense',
      '%',
      '%00=%ff',
      `scope=${'x'.repeat(70_000)}`,
    ])
      assertStatus(await post(protocol, form), 400);
  });

  check('attack 13: odd scopes never fail the call, however many', async ({ client }) => {
    const many = Array.from({ length: 300 }, (_, index) => `scope=r:${index}:p`).join('&');
    for (const query of [
      'scope=',
      'scope=%00',
      'scope=:::::',
      'scope=repository:x:pull:push',
      'scope=repository:..%2F..%2Fx:pull',
      'scope[]=a',
      many,
    ]) {
      const { token } = tokensOf(await client.request('GET', `/oauth2/token?${query}`, { authorization: client.basic }));
      assertStatus(await client.request('GET', '/v2/_catalog', { authorization: `Bearer ${token}` }), 401);
    }
  });
});

protocolTests(
  'a chosen password',
  (check) => {
    check(
      'attack 25: guessing is slowed with 429 and Retry-After, and locks nobody out who knows a generated one',
      async (protocol) => {
        const { client, url, username, password } = protocol;
        assert.notEqual(password, 'chosen by a person', 'the file of the first run holds the generated one');
        const chosen = basic(username, 'chosen by a person');
        assertStatus(await client.request('GET', '/v2/', { authorization: chosen }), 200);
        for (let index = 0; index < 10; index += 1)
          assertStatus(await client.request('GET', '/v2/', { authorization: basic(username, `guess ${index}`) }), 401);
        const slowed = await client.request('GET', '/oauth2/token', {
          authorization: basic(username, 'guess'),
          headers: { 'x-forwarded-for': '10.9.8.7' },
        });
        assertError(slowed, 429, 'TOOMANYREQUESTS');
        assert.match(String(slowed.headers['retry-after']), /^[1-6]$/);
        for (const authorization of [basic(username, password), chosen])
          assertStatus(await client.request('GET', '/v2/', { authorization }), 200);
        using other = new RegistryClient({ url, username, password });
        assertStatus(await other.request('GET', '/v2/_catalog'), 200);
      },
    );
  },
  { settings: { adminPassword: 'chosen by a person' }, isOnce: true },
);
