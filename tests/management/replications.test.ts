import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ManagerAnswer, ManagerClient, RegistryClient, forEachEngine, readOwner, startOidcIssuer } from '@berth/testkit';
import { assertAnswered, assertArmError, member } from './management-tests.ts';
import { type Region, startRegions, until } from './two-regions.ts';

forEachEngine((engine) => {
  test('a replica takes the settings, passwords and tokens of its home region, writes none, and is given up when that is said', async (t) => {
    const [east, west] = (await startRegions(t, engine, ['east', 'west'])) as [Region, Region];
    const signsIn = async (region: Region, username: string, password: string): Promise<boolean> =>
      (await request(region, basic(username, password))) === 200;
    const admin = east.registry;

    const wrong = await east.manager.call('PUT', `${east.path}/replications/mars`, { location: 'mars', properties: {} });
    assertArmError(wrong, 400, 'InvalidParameter', 'location');
    assert.match(String(member(wrong, 'error.message')), /west/, 'the regions that there are are named');
    assertAnswered(await east.manager.call('PUT', `${east.path}/replications/west`, { location: 'West', properties: {} }), 201);
    await until('the admin user of the home region signs in to the replica', () => signsIn(west, admin.username, admin.password));
    assert.equal(await signsIn(west, 'local', west.registry.password), false, 'its own admin user has gone');
    assert.deepEqual(names(await east.manager.call('GET', `${east.path}/replications`)), ['east', 'west']);
    assert.deepEqual(names(await west.manager.call('GET', `${west.path}/replications`)), ['east', 'west']);

    await t.test('a token of one region is taken in the other, and goes with its password', async () => {
      const token = await bearerOf(east, admin);
      assert.equal(await request(west, `Bearer ${token}`, '/v2/some/tags/list'), 404, 'let in, and nothing is there');
      const renewed = assertAnswered(
        await east.manager.call('POST', `${east.path}/regenerateCredential`, { name: 'password2' }),
        200,
      );
      const second = String(member(renewed, 'passwords.1.value'));
      await until('the new password is known in the other region', () => signsIn(west, 'local', second));
      assert.equal(await request(west, `Bearer ${token}`, '/v2/some/tags/list'), 404, 'the other password stands');
    });

    await t.test('a token with a scope map signs in everywhere', async () => {
      const actions = ['repositories/app/content/read'];
      assertAnswered(await east.manager.call('PUT', `${east.path}/scopeMaps/readers`, { properties: { actions } }), 201);
      const properties = { scopeMapId: `${east.path}/scopeMaps/readers`, status: 'enabled' };
      assertAnswered(await east.manager.call('PUT', `${east.path}/tokens/reader`, { properties }), 201);
      const tokenId = `${east.path}/tokens/reader`;
      const made = assertAnswered(await east.manager.call('POST', `${east.path}/generateCredentials`, { tokenId }), 200);
      const password = String(member(made, 'passwords.0.value'));
      const reads = (name: string) => request(west, basic('reader', password), `/v2/${name}/tags/list`);
      await until('the token is let in', async () => (await reads('app')) === 404);
      assert.equal(await reads('other'), 403);
      const shown = assertAnswered(await west.manager.call('GET', `${west.path}/tokens/reader`), 200);
      assert.equal(member(shown, 'properties.scopeMapId'), `${west.path}/scopeMaps/readers`, 'by its id there');
    });

    await t.test('whoever has a role at home has it at the replica, and nowhere else there', async () => {
      const owner = new ManagerClient(west.registry.url, {
        ...west.manager.owner,
        clientId: east.manager.owner.clientId,
        clientSecret: east.manager.owner.clientSecret,
      });
      t.after(() => owner[Symbol.dispose]());
      assertAnswered(await owner.call('GET', west.path), 200);
      const elsewhere = west.manager.provider('registries/another');
      assertAnswered(await owner.call('PUT', elsewhere, { location: 'west', sku: { name: 'Premium' }, properties: {} }), 403);
    });

    await t.test('cleanup rules hold in every region, and workloads sign in by the tokens of their issuer', async () => {
      using home = new RegistryClient({ ...east.registry, scheme: 'basic' });
      using replica = new RegistryClient({ ...west.registry, ...admin, scheme: 'basic' });
      const write = async (method: string, path: string, body: object): Promise<void> => {
        const answer = await home.request(method, `/berth/v1/${path}`, { body: JSON.stringify(body) });
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.body}`);
      };
      await write('PUT', 'cleanup/rules/old', { repositories: 'app/**', keepLast: 3, isEnabled: true });
      const rules = async (client: RegistryClient) => (await client.request('GET', '/berth/v1/cleanup/rules')).body.toString();
      await until('the rule is there', async () => (await rules(replica)).includes('"old"'));
      assert.equal(await rules(replica), await rules(home));

      const issuer = await startOidcIssuer({ algorithm: 'ES256' });
      t.after(() => issuer.stop());
      const jwks = (await (await fetch(`${issuer.issuer}/jwks`)).json()) as object;
      await write('POST', 'issuers', { issuer: issuer.issuer, jwks });
      await write('POST', 'identities', { name: 'job' });
      const trusted = { issuer: issuer.issuer, audiences: ['registry'], claims: { repository: 'acme/app' } };
      await write('PUT', 'identities/job/federated-credentials/ci', trusted);
      await write('PUT', `identities/job/roles/${randomUUID()}`, { role: 'AcrPull', scope: 'registry:local' });
      const claims = { audience: 'registry', subject: 'repo:acme/app', claims: { repository: 'acme/app' } };
      const token = basic('00000000-0000-0000-0000-000000000000', await issuer.issue(claims));
      await until('the job is let in', async () => (await request(west, token, '/v2/app/tags/list')) === 404);
      assert.equal(await request(east, token, '/v2/app/tags/list'), 404);
    });

    await t.test('settings are written at home alone', async () => {
      const writes: readonly (readonly [string, string, object])[] = [
        ['PATCH', west.path, { tags: { a: 'b' } }],
        ['PUT', `${west.path}/scopeMaps/others`, { properties: { actions: [] } }],
        ['DELETE', `${west.path}/tokens/reader`, {}],
        ['POST', `${west.path}/regenerateCredential`, { name: 'password' }],
        ['DELETE', `${west.path}/replications/west`, {}],
      ];
      for (const [method, path, body] of writes) {
        const refused = await west.manager.call(method, path, method === 'DELETE' ? undefined : body);
        assertArmError(refused, 409, 'ReplicaIsReadOnly');
        assert.match(String(member(refused, 'error.message')), /east/);
      }
    });

    await t.test('the home region is no replication to delete, and Premium is not left before the others are', async () => {
      assertArmError(await east.manager.call('DELETE', `${east.path}/replications/east`), 409, 'Conflict');
      const refused = await east.manager.call('PATCH', east.path, { sku: { name: 'Standard' } });
      assert.match(String(member(refused, 'error.message')), /1 replications \(delete them\)/);
    });

    await t.test('what is deleted at home is given up, and the default registry there is an empty one again', async () => {
      assertAnswered(await east.manager.call('DELETE', `${east.path}/replications/west`), 200);
      assert.deepEqual(names(await east.manager.call('GET', `${east.path}/replications`)), []);
      await until('the admin user of the home region is gone', async () => !(await signsIn(west, 'local', admin.password)));
      await until('its own signs in', async () => {
        const first = JSON.parse(await readFile(join(west.registry.dataDir, 'first-run.json'), 'utf8')) as { password: string };
        return signsIn(west, 'local', first.password);
      });
      assertAnswered(await west.manager.call('PATCH', west.path, { tags: { own: 'again' } }), 200);
      assert.equal((await readOwner(west.registry.dataDir)).clientId, west.manager.owner.clientId);
    });
  });

  test('a region that uses a registry of that name says so, and keeps it', async (t) => {
    const [east, west] = (await startRegions(t, engine, ['east', 'west'])) as [Region, Region];
    const made = { location: 'local', sku: { name: 'Premium' }, properties: {} };
    for (const region of [east, west])
      assertAnswered(await region.manager.call('PUT', region.manager.provider('registries/shared'), made), 201);
    const path = (region: Region) => region.manager.provider('registries/shared');
    const pool = { location: 'west', properties: { count: 1 } };
    assertAnswered(await west.manager.call('PUT', `${path(west)}/agentPools/mine`, pool), 200, 201);
    const wanted = { location: 'west', properties: {} };
    assertAnswered(await east.manager.call('PUT', `${path(east)}/replications/west`, wanted), 201);
    const message = async () =>
      String(member(await east.manager.call('GET', `${path(east)}/replications/west`), 'properties.status.message'));
    await until('the home region knows why', async () => /has a registry shared of its own/.test(await message()));
    assertAnswered(await west.manager.call('PATCH', path(west), { tags: { still: 'mine' } }), 200);
  });
});

function names({ json }: ManagerAnswer): readonly string[] {
  return (json as { readonly value: readonly { readonly name: string }[] }).value.map(({ name }) => name);
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function request({ registry: { url } }: Region, authorization: string, path = '/v2/'): Promise<number> {
  using client = new RegistryClient({ url, username: '', password: '' });
  return (await client.request('GET', path, { authorization })).status;
}

async function bearerOf(
  { registry: { url } }: Region,
  admin: { readonly username: string; readonly password: string },
): Promise<string> {
  using client = new RegistryClient({ url, username: '', password: '' });
  const answer = await client.request('GET', '/oauth2/token?service=x&scope=repository:some:pull', {
    authorization: basic(admin.username, admin.password),
  });
  return (JSON.parse(answer.body.toString()) as { access_token: string }).access_token;
}
