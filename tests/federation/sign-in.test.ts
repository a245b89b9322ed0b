import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  type ClientAnswer,
  type OidcIssuer,
  RegistryClient,
  type StartedRegistry,
  randomImage,
  startOidcIssuer,
  startRegistry,
} from '@berth/testkit';

const tokenUser = '00000000-0000-0000-0000-000000000000';
let registry: StartedRegistry;
let admin: RegistryClient;
let provider: OidcIssuer;
const job = { audience: 'registry', subject: 'repo:acme/app:ref:refs/heads/main', claims: { repository: 'acme/app' } };

before(async () => {
  [registry, provider] = await Promise.all([startRegistry(), startOidcIssuer({ algorithm: 'ES256' })]);
  admin = new RegistryClient({ ...registry, scheme: 'basic' });
  await trustProvider();
});
after(async () => {
  admin[Symbol.dispose]();
  await Promise.all([registry.stop(), provider.stop()]);
});

/** Its keys are given: a server asks no address of its own machine. */
async function trustProvider(): Promise<void> {
  const jwks = await (await fetch(`${provider.issuer}/jwks`)).json();
  await manage('POST', '/issuers', { issuer: provider.issuer, jwks });
}

async function manage(method: string, path: string, body?: object, status?: number): Promise<unknown> {
  const answer = await admin.request(method, `/berth/v1${path}`, body === undefined ? {} : { body: JSON.stringify(body) });
  assert.ok(
    status === undefined ? answer.status < 300 : answer.status === status,
    `${method} ${path}: ${answer.status} ${answer.body}`,
  );
  return answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString());
}

/** An identity that jobs of a repository sign in as, with a role. */
async function trust(name: string, { role = 'AcrPush', scope = 'registry:local' } = {}): Promise<string> {
  await manage('POST', '/identities', { name });
  const rule = {
    issuer: provider.issuer,
    audiences: ['registry'],
    claims: { repository: 'acme/app', sub: `repo:acme/app:${name}:*` },
  };
  await manage('PUT', `/identities/${name}/federated-credentials/ci`, rule);
  const assignment = randomUUID();
  await manage('PUT', `/identities/${name}/roles/${assignment}`, { role, scope });
  return assignment;
}

const tokenOf = (name: string): Promise<string> => provider.issue({ ...job, subject: `repo:acme/app:${name}:main` });

async function exchange(accessToken: string): Promise<ClientAnswer> {
  const form = new URLSearchParams({ grant_type: 'access_token', service: registry.host, access_token: accessToken });
  return admin.request('POST', '/oauth2/exchange', {
    authorization: 'none',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
}

test('a job pushes and pulls with the token of its issuer, exchanged for a refresh token', async () => {
  await trust('exchanged');
  const answer = await exchange(await tokenOf('exchanged'));
  assert.equal(answer.status, 200, answer.body.toString());
  const { refresh_token: password } = JSON.parse(answer.body.toString()) as { refresh_token: string };
  using client = new RegistryClient({ url: registry.url, username: tokenUser, password });
  const image = randomImage();
  await client.pushImage('job/exchanged', image, 'v1');
  assert.deepEqual(await client.pull('job/exchanged', 'manifests', 'v1'), image.manifest.bytes);
});

test('attack 21: as a password its token gives the same rights, no more than the role', async () => {
  await trust('direct', { role: 'AcrPull' });
  const image = randomImage();
  await admin.pushImage('job/direct', image, 'v1');
  using client = new RegistryClient({ url: registry.url, username: tokenUser, password: await tokenOf('direct') });
  assert.deepEqual(await client.pull('job/direct', 'manifests', 'v1'), image.manifest.bytes);
  await assert.rejects(client.pushImage('job/direct', randomImage(), 'v2'));
  const { status } = await client.request('GET', '/berth/v1/identities', { authorization: client.basic });
  assert.equal(status, 403);
});

test('attack 22: what a job signed in with ends at once when its role, rule, identity or issuer goes', async () => {
  const changes: readonly ((name: string, assignment: string) => Promise<unknown>)[] = [
    (name, assignment) => manage('DELETE', `/identities/${name}/roles/${assignment}`),
    (name) => manage('DELETE', `/identities/${name}/federated-credentials/ci`),
    (name) =>
      manage('PUT', `/identities/${name}/federated-credentials/ci`, {
        issuer: provider.issuer,
        audiences: ['registry'],
        claims: { repository: 'acme/other' },
      }),
    (name) => manage('PATCH', `/identities/${name}`, { isEnabled: false }),
    (name) => manage('DELETE', `/identities/${name}`),
    () => manage('DELETE', `/issuers?issuer=${encodeURIComponent(provider.issuer)}`),
  ];
  for (const [index, change] of changes.entries()) {
    const name = `ends-${index}`;
    const assignment = await trust(name);
    const { refresh_token: password } = JSON.parse((await exchange(await tokenOf(name))).body.toString()) as {
      refresh_token: string;
    };
    using client = new RegistryClient({ url: registry.url, username: tokenUser, password });
    const image = randomImage();
    await client.pushImage(`job/${name}`, image, 'v1');
    await change(name, assignment);
    const { status } = await client.request('GET', `/v2/job/${name}/manifests/v1`, { authorization: client.basic });
    assert.ok([401, 403].includes(status), `${index}: ${status}`);
  }
  await trustProvider();
});

test('a secret signs in with the client id, is shown once, and ends when it is deleted', async () => {
  await manage('POST', '/identities', { name: 'by-secret' });
  await manage('PUT', `/identities/by-secret/roles/${randomUUID()}`, { role: 'AcrPush', scope: 'registry:local' });
  const { clientId } = (await manage('GET', '/identities/by-secret')) as { clientId: string };
  const { id, value } = (await manage('POST', '/identities/by-secret/secrets', {})) as { id: string; value: string };
  const shown = JSON.stringify([
    await manage('GET', `/identities/${clientId}`),
    await manage('GET', '/identities/by-secret/secrets'),
  ]);
  assert.ok(shown.includes(id) && !shown.includes(value));
  using client = new RegistryClient({ url: registry.url, username: clientId, password: value });
  await client.pushImage('secret/image', randomImage(), 'v1');
  await manage('DELETE', `/identities/by-secret/secrets/${id}`);
  const { status } = await client.request('GET', '/v2/secret/image/manifests/v1', { authorization: client.basic });
  assert.equal(status, 401);
});

test('attack 24: names that could be mistaken, or that exist, are refused', async () => {
  for (const name of [
    tokenUser,
    randomUUID(),
    randomUUID().toUpperCase(),
    '',
    'Upper',
    'a b',
    'a/b',
    '-a',
    'a:b',
    'admin',
    'anonymous',
    'ä',
    'a\0',
    'x'.repeat(65),
  ])
    await manage('POST', '/identities', { name }, 400);
  await manage('POST', '/identities', { name: 'twice' });
  await manage('POST', '/identities', { name: 'twice' }, 409);
  await manage('DELETE', '/identities/owner', undefined, 409);
});

test('rules and roles that would let in more than meant are refused, with what to do', async () => {
  await manage('POST', '/identities', { name: 'strict' });
  const rule = { issuer: provider.issuer, audiences: ['registry'], claims: { sub: 'job' } };
  const github = 'https://token.actions.githubusercontent.com';
  await manage('POST', '/issuers', { issuer: github });
  const rules = [
    { ...rule, claims: {} },
    { ...rule, audiences: [] },
    { ...rule, issuer: 'https://nobody.example' },
    { ...rule, issuer: github, claims: { sub: '*' } },
    { ...rule, claims: { sub: 1 } },
    { ...rule, more: 1 },
  ];
  for (const each of rules) await manage('PUT', '/identities/strict/federated-credentials/ci', each, 400);
  await manage('PUT', '/identities/strict/federated-credentials/ci', { ...rule, issuer: github, claims: { sub: 'repo:acme/*' } });
  const roles = [
    { role: 'King', scope: 'deployment' },
    { role: 'AcrPull', scope: 'registry:missing' },
    { role: 'AcrPull', scope: 'registry:local/NOT A NAME' },
    { role: 'AcrPull', scope: '/subscriptions/other' },
    { role: 'AcrPull', scope: '/' },
    { role: 'AcrPull', scope: 'deployment', condition: 'nonsense' },
  ];
  for (const each of roles) await manage('PUT', `/identities/strict/roles/${randomUUID()}`, each, 400);
  await manage('PUT', '/identities/strict/roles/one', { role: 'AcrPull', scope: 'deployment' }, 400);
  const id = randomUUID();
  const { scope } = (await manage('PUT', `/identities/strict/roles/${id}`, { role: 'acrpull', scope: 'registry:local/a/b' })) as {
    scope: string;
  };
  assert.match(
    scope,
    /^\/subscriptions\/[0-9a-f-]{36}\/resourcegroups\/berth\/providers\/microsoft\.containerregistry\/registries\/local\/repositories\/a\/b$/,
  );
  await manage('POST', '/identities', { name: 'other' });
  await manage('PUT', `/identities/other/roles/${id}`, { role: 'AcrPull', scope: 'deployment' }, 409);
});

test('issuers without keys are https addresses, and given keys are public ones', async () => {
  const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: object[] };
  const bad = [
    { issuer: 'http://issuer.example' },
    { issuer: 'https://user:word@issuer.example' },
    { issuer: 'https://issuer.example?a' },
    { issuer: 'kubernetes/serviceaccount' },
    { issuer: 'x', jwks: { keys: [] } },
    { issuer: 'x', jwks: { keys: [{ kty: 'EC' }] } },
    { issuer: 'x', jwks: { keys: [{ ...keys[0], d: 'AA' }] } },
  ];
  for (const each of bad) await manage('POST', '/issuers', each, 400);
  await manage('POST', '/issuers', { issuer: 'kubernetes/serviceaccount', jwks: { keys } });
  const { issuers } = (await manage('GET', '/issuers')) as { issuers: { issuer: string }[] };
  assert.ok(issuers.some(({ issuer }) => issuer === 'kubernetes/serviceaccount'));
  await manage('DELETE', '/issuers?issuer=kubernetes%2Fserviceaccount');
  await manage('DELETE', '/issuers?issuer=kubernetes%2Fserviceaccount', undefined, 404);
});

test('identities are listed page by page', async () => {
  for (const name of ['page-1', 'page-2', 'page-3']) await manage('POST', '/identities', { name });
  const first = await admin.request('GET', '/berth/v1/identities?n=2&last=page');
  const namesOf = ({ body }: ClientAnswer): string[] =>
    (JSON.parse(body.toString()) as { identities: { name: string }[] }).identities.map(({ name }) => name);
  assert.deepEqual(namesOf(first), ['page-1', 'page-2']);
  assert.match(String(first.headers['link']), /^<\/berth\/v1\/identities\?last=page-2&n=2>; rel="next"$/);
  assert.equal(namesOf(await admin.request('GET', '/berth/v1/identities?n=2&last=page-2'))[0], 'page-3');
});

test('an issuer that may be asked is asked for its keys; one on the machine of the server may not unless a setting allows it', async (t) => {
  for (const [outboundAllow, expected] of [
    ['127.0.0.1', 200],
    ['', 503],
  ] as const) {
    const other = await startRegistry({ settings: { outboundAllow } });
    t.after(() => other.stop());
    using client = new RegistryClient({ ...other, scheme: 'basic' });
    const set = async (method: string, path: string, body: object): Promise<void> => {
      const { status } = await client.request(method, `/berth/v1${path}`, { body: JSON.stringify(body) });
      assert.ok(status < 300, `${path}: ${status}`);
    };
    await set('POST', '/issuers', { issuer: provider.issuer });
    await set('POST', '/identities', { name: 'job' });
    const claims = { repository: 'acme/app' };
    await set('PUT', '/identities/job/federated-credentials/ci', { issuer: provider.issuer, audiences: ['registry'], claims });
    await set('PUT', `/identities/job/roles/${randomUUID()}`, { role: 'AcrPull', scope: 'registry:local' });
    const authorization = `Basic ${Buffer.from(`${tokenUser}:${await tokenOf('any')}`).toString('base64')}`;
    const answer = await client.request('GET', '/v2/', { authorization });
    assert.equal(answer.status, expected, answer.body.toString());
  }
});
