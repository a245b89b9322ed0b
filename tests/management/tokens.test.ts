import assert from 'node:assert/strict';
import { RegistryClient, randomImage } from '@berth/testkit';
import { assertAnswered, assertArmError, managementTests, member, type Management } from './management-tests.ts';

interface Password {
  readonly name: string;
  readonly value?: string;
}

async function makeToken({ manager }: Management, name: string, actions: readonly string[]): Promise<string> {
  const registry = manager.provider('registries/local');
  assertAnswered(await manager.call('PUT', `${registry}/scopeMaps/${name}-map`, { properties: { actions } }), 201);
  const properties = { scopeMapId: `${registry}/scopeMaps/${name}-map`, status: 'enabled' };
  assertAnswered(await manager.call('PUT', `${registry}/tokens/${name}`, { properties }), 201);
  const generated = await manager.call('POST', `${registry}/generateCredentials`, {
    tokenId: `${registry}/tokens/${name}`,
    name: 'password1',
  });
  const [password] = member(assertAnswered(generated, 200), 'passwords') as Password[];
  return password?.value ?? '';
}

managementTests('repository-scoped tokens (acr-api 2.5, 2.6)', (check) => {
  check('a token does what its scope map says, by Basic and by Bearer', async (management) => {
    const { url, client, manager, newName } = management;
    const [name, repository] = [newName().slice(0, 20), `team/${newName()}`];
    await client.pushImage(repository, randomImage(), 'v1');
    await client.pushImage(`${repository}2`, randomImage(), 'v1');
    const password = await makeToken(management, name, [`repositories/${repository}/content/read`]);
    for (const scheme of ['basic', 'bearer'] as const) {
      using token = new RegistryClient({ url, username: name, password, scheme });
      const refused = scheme === 'basic' ? 403 : 401;
      await token.pull(repository, 'manifests', 'v1');
      for (const [method, path] of [
        ['GET', `/v2/${repository}2/manifests/v1`],
        ['POST', `/v2/${repository}/blobs/uploads/`],
        ['DELETE', `/v2/${repository}/manifests/v1`],
        ['GET', `/acr/v1/${repository}/_tags`],
        ['GET', '/v2/_catalog'],
      ] as const)
        assert.equal((await token.request(method, path)).status, refused, `${scheme} ${method} ${path}`);
    }
    const map = `${manager.provider('registries/local')}/scopeMaps/${name}-map`;
    assertAnswered(
      await manager.call('PATCH', map, {
        properties: { actions: ['repositories/team/*/content/read', 'repositories/team/*/metadata/read'] },
      }),
      200,
    );
    using token = new RegistryClient({ url, username: name, password });
    await token.pull(`${repository}2`, 'manifests', 'v1');
    assert.equal((await token.request('GET', `/v2/${repository}/tags/list`)).status, 200);
  });

  check('attack 22: a token that is disabled, or whose password is replaced or taken away, ends at once', async (management) => {
    const { url, client, manager, newName } = management;
    const [name, repository] = [newName().slice(0, 20), `team/${newName()}`];
    await client.pushImage(repository, randomImage(), 'v1');
    const first = await makeToken(management, name, ['repositories/*/content/read']);
    const registry = manager.provider('registries/local');
    const pull = async (password: string): Promise<number> => {
      using token = new RegistryClient({ url, username: name, password, scheme: 'basic' });
      return (await token.request('GET', `/v2/${repository}/manifests/v1`)).status;
    };
    using bearer = new RegistryClient({ url, username: name, password: first });
    await bearer.pull(repository, 'manifests', 'v1');
    assertAnswered(await manager.call('PATCH', `${registry}/tokens/${name}`, { properties: { status: 'disabled' } }), 200);
    assert.equal(await pull(first), 401);
    assertAnswered(await manager.call('PATCH', `${registry}/tokens/${name}`, { properties: { status: 'enabled' } }), 200);
    assert.equal(await pull(first), 200);
    const again = await manager.call('POST', `${registry}/generateCredentials`, { tokenId: `${registry}/tokens/${name}` });
    const [one, two] = member(assertAnswered(again, 200), 'passwords') as Password[];
    assert.deepEqual([await pull(first), await pull(one?.value ?? ''), await pull(two?.value ?? '')], [401, 200, 200]);
    await assert.rejects(bearer.pull(repository, 'manifests', 'v1'), /401/);
    const shown = await manager.call('GET', `${registry}/tokens/${name}`);
    assert.deepEqual(
      (member(shown, 'properties.credentials.passwords') as Password[]).map((each) => [each.name, each.value]),
      [
        ['password1', undefined],
        ['password2', undefined],
      ],
    );
    const keep = { credentials: { passwords: [{ name: 'password2' }] } };
    assertAnswered(await manager.call('PATCH', `${registry}/tokens/${name}`, { properties: keep }), 200);
    assert.deepEqual([await pull(one?.value ?? ''), await pull(two?.value ?? '')], [401, 200]);
    assertArmError(await manager.call('DELETE', `${registry}/scopeMaps/${name}-map`), 409, 'Conflict');
    assertAnswered(await manager.call('DELETE', `${registry}/tokens/${name}`), 200);
    assert.equal(await pull(two?.value ?? ''), 401);
    assertAnswered(await manager.call('DELETE', `${registry}/scopeMaps/${name}-map`), 200);
  });

  check('the maps of the system are there, and stay as they are', async ({ manager }) => {
    const maps = `${manager.provider('registries/local')}/scopeMaps`;
    const { value } = assertAnswered(await manager.call('GET', maps), 200).json as {
      value: { name: string; properties: { type: string } }[];
    };
    assert.deepEqual(
      value.filter((each) => each.properties.type === 'SystemDefined').map((each) => each.name),
      [
        '_repositories_pull',
        '_repositories_pull_metadata_read',
        '_repositories_push',
        '_repositories_push_metadata_write',
        '_repositories_admin',
      ],
    );
    assertAnswered(await manager.call('GET', `${maps}/_repositories_pull`), 200);
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      assertArmError(
        await manager.call(method, `${maps}/_repositories_pull`, { properties: { actions: [] } }),
        400,
        'InvalidParameter',
        'name',
      );
  });

  check('a wrong action is named, and so is a scope map that is not there', async ({ manager, newName }) => {
    const registry = manager.provider('registries/local');
    const map = `${registry}/scopeMaps/${newName()}`;
    const refused = await manager.call('PUT', map, {
      properties: { actions: ['repositories/a/content/read', 'repositories/a*/content/read'] },
    });
    assertArmError(refused, 400, 'InvalidParameter', 'properties.actions');
    assert.match(String(member(refused, 'error.message')), /repositories\/a\*\/content\/read/);
    const token = `${registry}/tokens/${newName()}`;
    for (const scopeMapId of [
      `${registry}/scopeMaps/missing`,
      `${registry.replace('/local', '/other')}/scopeMaps/_repositories_pull`,
    ])
      assertArmError(
        await manager.call('PUT', token, { properties: { scopeMapId } }),
        400,
        'InvalidParameter',
        'properties.scopeMapId',
      );
    assertArmError(
      await manager.call('POST', `${registry}/generateCredentials`, { tokenId: token }),
      400,
      'InvalidParameter',
      'tokenId',
    );
    const past = { tokenId: token, expiry: '2001-01-01T00:00:00Z' };
    assertArmError(await manager.call('POST', `${registry}/generateCredentials`, past), 400, 'InvalidParameter', 'expiry');
  });

  check('attack 24: a token cannot take the place of the admin user', async ({ manager }) => {
    const registry = manager.provider('registries/local');
    const properties = { scopeMapId: `${registry}/scopeMaps/_repositories_admin` };
    assertArmError(await manager.call('PUT', `${registry}/tokens/LOCAL`, { properties }), 400, 'InvalidParameter', 'name');
  });
});
