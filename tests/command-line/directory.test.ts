import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { RegistryClient, type StartedRegistry, randomImage, startRegistry } from '@berth/testkit';
import { type BerthRun, failed, runBerth, succeeded } from './run-berth.ts';

let server: StartedRegistry;
const github = 'https://token.actions.githubusercontent.com';

before(async () => {
  server = await startRegistry();
});
after(() => server.stop());

const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', server.dataDir, ...args]);

test('an identity is made, given a role and a secret, and pushes; disabled, it does not', async () => {
  const told = succeeded(await berth('identity', 'create', 'ci'));
  const [, clientId = ''] = /^ci has the client id ([0-9a-f-]{36})\. /.exec(told) ?? assert.fail(told);
  const assigned = succeeded(await berth('identity', 'assign', 'ci', '--role', 'acrpush', '--scope', 'registry:local'));
  assert.match(assigned, /^ci has the role AcrPush on \/subscriptions\/.*\/registries\/local\.\n$/);
  const added = succeeded(await berth('identity', 'secret', 'add', 'ci', '--expires', '2099-01-01T00:00:00Z'));
  const [, password = '', secretId = ''] = /^(\S{43})\n.* Its id is (\S+);/.exec(added) ?? assert.fail(added);
  using client = new RegistryClient({ url: server.url, username: clientId, password });
  await client.pushImage('from/ci', randomImage(), 'v1');
  assert.ok(succeeded(await berth('identity', 'list')).includes(`ci  ${clientId}\n`));
  assert.match(succeeded(await berth('identity', 'secret', 'list', 'ci')), /^\S+ {2}expires 2099-01-01T00:00:00\.000Z\n$/);
  succeeded(await berth('identity', 'disable', 'ci'));
  const refused = async (): Promise<number> =>
    (await client.request('GET', '/v2/from/ci/manifests/v1', { authorization: client.basic })).status;
  assert.equal(await refused(), 401);
  succeeded(await berth('identity', 'enable', 'ci'));
  assert.equal(await refused(), 200);
  succeeded(await berth('identity', 'secret', 'delete', 'ci', secretId));
  assert.equal(await refused(), 401);
  succeeded(await berth('identity', 'delete', clientId));
  assert.equal((await berth('identity', 'show', 'ci')).stderr, 'berth: no identity has the name or id "ci".\n');
});

test('an issuer is trusted, and a rule says whose tokens sign in', async () => {
  assert.equal(succeeded(await berth('issuer', 'list')), 'No issuer is trusted.\n');
  succeeded(await berth('issuer', 'add', github));
  succeeded(await berth('identity', 'create', 'jobs'));
  const trust = ['identity', 'trust', 'jobs', '--issuer', github, '--audience', 'registry'];
  succeeded(await berth(...trust, '--claim', 'sub=repo:acme/*', '--claim', 'ref=refs/heads/main'));
  assert.match(
    succeeded(await berth('identity', 'show', 'jobs')),
    /\n {2}trusts default: https:\/\/token\.actions\.githubusercontent\.com, audience registry, ref=refs\/heads\/main, sub=repo:acme\/\*\n$/,
  );
  assert.match((await berth(...trust, '--claim', 'sub=*')).stderr, /signs tokens for everybody: one of the claims sub, /);
  assert.equal(failed(await berth(...trust, '--claim', 'sub')).why, '"sub" is no rule for a claim');
  succeeded(await berth('identity', 'distrust', 'jobs', 'default'));
  succeeded(await berth('issuer', 'remove', github));
});

test('an issuer with keys takes them from a file', async () => {
  const file = join(server.dataDir, 'keys.json');
  await writeFile(file, 'nothing');
  assert.deepEqual(failed(await berth('issuer', 'add', 'cluster', '--keys', file)), {
    why: `${file} holds no key set`,
    next: 'save the JSON Web Key Set of the issuer there',
  });
  const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'a' };
  await writeFile(file, JSON.stringify({ keys: [key] }));
  succeeded(await berth('issuer', 'add', 'cluster', '--keys', file));
  assert.match(succeeded(await berth('issuer', 'list')), /^cluster {2}with keys$/m);
});
