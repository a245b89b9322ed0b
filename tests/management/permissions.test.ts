import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Operation, acr, arm, distribution } from '@berth/api';
import { type ClientAnswer, ManagerClient } from '@berth/testkit';
import { newIdentity } from './new-identity.ts';
import { assertAnswered, managementTests, member, type Management } from './management-tests.ts';
import { type Right, adminRights, mayManage, rights, scopeMaps } from './role-model.ts';

const operations: readonly Operation[] = [...Object.values(distribution), ...Object.values(acr)];

/** Somebody who signs in with a name and a password, and what that one may by the model. */
interface Caller {
  readonly name: string;
  readonly basic: string;
  readonly legacy: readonly Right[];
  readonly abac: readonly Right[];
}

function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function callers(management: Management): Promise<readonly Caller[]> {
  const { client, manager, newName } = management;
  const found: Caller[] = [{ name: 'admin', basic: client.basic, legacy: adminRights, abac: adminRights }];
  for (const [role, grant] of Object.entries(rights)) {
    const { clientId, clientSecret } = await newIdentity(management, [role]);
    found.push({ name: role, basic: basicOf(clientId, clientSecret), ...grant });
  }
  const registry = manager.provider('registries/local');
  for (const [map, granted] of Object.entries(scopeMaps)) {
    const name = newName().slice(0, 30);
    assertAnswered(
      await manager.call('PUT', `${registry}/tokens/${name}`, { properties: { scopeMapId: `${registry}/scopeMaps/${map}` } }),
      201,
    );
    const generated = assertAnswered(
      await manager.call('POST', `${registry}/generateCredentials`, { tokenId: `${registry}/tokens/${name}` }),
      200,
    );
    found.push({
      name: map,
      basic: basicOf(name, String(member(generated, 'passwords.0.value'))),
      legacy: granted,
      abac: granted,
    });
  }
  return found;
}

/** What the declaration of an operation asks for, in the model's words. */
function needed({ permission }: Operation): readonly Right[] {
  switch (permission.kind) {
    case 'repository':
      return permission.actions;
    case 'catalog':
      return ['catalog'];
    case 'deleted-catalog':
      return ['deleted_catalog'];
    case 'authenticated':
    case 'public':
      return [];
    case 'operator':
    case 'deployment':
    case 'agent':
    case 'region':
    case 'management':
    case 'resource':
      throw new Error(`${permission.kind} is not of the data plane`);
  }
}

/** What lets into an operation, too. */
function insteadOf({ permission }: Operation): Right | undefined {
  return permission.kind === 'repository' ? permission.instead : undefined;
}

const values: Readonly<Record<string, string>> = { digest: `sha256:${'a'.repeat(64)}`, reference: 'none', session: randomUUID() };

function send(
  { client }: Management,
  { method, path, body }: Operation,
  repository: string,
  authorization: string,
): Promise<ClientAnswer> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'name' ? repository : (values[name] ?? '')));
  const hasBody = body !== undefined && body !== 'stream';
  return client.request(method, filled, hasBody ? { authorization, body: '{}' } : { authorization });
}

async function bearerOf({ client }: Management, caller: Caller, repository: string): Promise<string> {
  const scopes = [`repository:${repository}:*`, 'registry:catalog:*', 'registry:deleted_catalog:*'];
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]));
  const answer = await client.request('GET', `/oauth2/token?${query}`, { authorization: caller.basic });
  assert.equal(answer.status, 200, caller.name);
  return `Bearer ${(JSON.parse(answer.body.toString()) as { access_token: string }).access_token}`;
}

async function checkDataPlane(management: Management, everybody: readonly Caller[], mode: 'legacy' | 'abac'): Promise<void> {
  for (const caller of everybody) {
    const repository = `matrix/${randomUUID()}`;
    const bearer = await bearerOf(management, caller, repository);
    for (const operation of operations) {
      const isAllowed =
        needed(operation).every((right) => caller[mode].includes(right)) || caller[mode].includes(insteadOf(operation) ?? '');
      for (const [scheme, authorization] of [
        ['basic', caller.basic],
        ['bearer', bearer],
      ] as const) {
        const { status } = await send(management, operation, repository, authorization);
        const said = `${operation.id} by ${caller.name} with ${scheme} in ${mode} mode: ${status}`;
        if (isAllowed) assert.ok(status !== 401 && status !== 403 && status < 500, said);
        else assert.equal(status, scheme === 'basic' ? 403 : 401, said);
      }
    }
  }
}

managementTests('the permission matrix (acr-api 2.6, 2.7)', (check) => {
  check(
    'attacks 14, 21: every operation of the data plane serves whom it should, by Basic and by Bearer, in both modes',
    async (management) => {
      const { manager } = management;
      const everybody = await callers(management);
      await checkDataPlane(management, everybody, 'legacy');
      const registry = manager.provider('registries/local');
      assertAnswered(
        await manager.call('PATCH', registry, { properties: { roleAssignmentMode: 'AbacRepositoryPermissions' } }),
        200,
      );
      await checkDataPlane(management, everybody, 'abac');
      assertAnswered(
        await manager.call('PATCH', registry, { properties: { roleAssignmentMode: 'LegacyRegistryPermissions' } }),
        200,
      );
    },
  );

  check('attack 14: every operation of the resource manager serves whom it should', async (management) => {
    const { url, client, manager, newName } = management;
    const nobody = newName();
    const fill = (path: string): string =>
      path
        .replace('{subscriptionId}', manager.owner.subscriptionId)
        .replace('{resourceGroupName}', 'berth')
        .replace('{registryName}', nobody)
        .replaceAll(/\{\w+\}/g, 'none0');
    for (const role of ['Owner', 'Contributor', 'Reader', 'AcrPull', 'AcrPush']) {
      const identity = await newIdentity(management, [role], 'deployment');
      using caller = new ManagerClient(url, { ...manager.owner, ...identity });
      for (const { id, method, path, permission, body } of arm.operations) {
        // Nothing that is there may go while the others still ask.
        if (id.startsWith('arm-delete-resource-group')) continue;
        const { status } = await caller.call(method, fill(path), body === undefined ? undefined : {});
        const isAllowed =
          permission.kind === 'management' || (permission.kind === 'resource' && mayManage(role, permission.action));
        const said = `${id} by ${role}: ${status}`;
        if (isAllowed) assert.ok(status !== 401 && status !== 403 && status < 500, said);
        else assert.equal(status, 403, said);
      }
    }
    const tokens = [
      'none',
      client.basic,
      'Bearer nothing',
      await bearerOf(management, { name: 'admin', basic: client.basic, legacy: [], abac: [] }, 'a'),
    ];
    for (const { id, method, path } of arm.operations)
      for (const authorization of tokens) {
        const answer = await client.request(method, `${fill(path)}?api-version=2025-11-01`, { authorization });
        assert.equal(answer.status, 401, `${id} by ${authorization.slice(0, 8)}`);
        assert.match(answer.body.toString(), /"code":"InvalidAuthenticationToken"/);
      }
  });

  check('a role reaches what lies below its scope, and nothing beside it', async (management) => {
    const { client, manager, newName } = management;
    const { objectId, clientId, clientSecret } = await newIdentity(management, ['AcrPull'], 'registry:local/team/app');
    const pull = async (repository: string): Promise<number> =>
      (await client.request('GET', `/v2/${repository}/manifests/none`, { authorization: basicOf(clientId, clientSecret) }))
        .status;
    assert.deepEqual(
      [await pull('team/app'), await pull('team/app2'), await pull('team'), await pull('team/app/sub')],
      [404, 403, 403, 403],
      'attack 13',
    );
    const registry = manager.provider('registries/local');
    const assignment = `${registry}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
    const definitions = await manager.call(
      'GET',
      `${registry}/providers/Microsoft.Authorization/roleDefinitions?$filter=${encodeURIComponent("roleName eq 'AcrPull'")}`,
    );
    const properties = { roleDefinitionId: member(definitions, 'value.0.id'), principalId: objectId };
    assertAnswered(await manager.call('PUT', assignment, { properties }), 201);
    assert.equal(await pull('team/app2'), 404);
    const listed = await manager.call(
      'GET',
      `${registry}/providers/Microsoft.Authorization/roleAssignments?$filter=${encodeURIComponent(`principalId eq '${objectId}'`)}`,
    );
    assert.equal((member(listed, 'value') as unknown[]).length, 2);
    assertAnswered(await manager.call('DELETE', assignment), 200);
    assert.equal(await pull('team/app2'), 403, 'attack 22');
    const other = manager.provider(`registries/${newName()}`);
    assertAnswered(
      await manager.call('PUT', `${other}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, {
        properties: { ...properties, roleDefinitionId: 'none' },
      }),
      400,
    );
  });

  check('whoever runs one registry of several does not run the deployment', async (management) => {
    const { client, manager, newName } = management;
    const name = newName();
    const path = manager.provider(`registries/${name}`);
    const made = await manager.call('PUT', path, {
      location: 'local',
      sku: { name: 'Basic' },
      properties: { adminUserEnabled: true },
    });
    const host = String(member(made, 'properties.loginServer'));
    const credentials = await manager.call('POST', `${path}/listCredentials`);
    const authorization = basicOf(name, String(member(credentials, 'passwords.0.value')));
    const ask = async (method: string, wanted: string): Promise<number> =>
      (
        await client.request(method, wanted, {
          authorization,
          headers: { host },
          ...(method === 'POST' && { body: '{"name":"mine","key":"data"}' }),
        })
      ).status;
    assert.equal(await ask('GET', '/berth/v1/usage'), 200, 'its own registry');
    for (const [method, wanted] of [
      ['POST', '/berth/v1/identities'],
      ['GET', '/berth/v1/identities'],
      ['GET', '/berth/v1/issuers'],
      ['POST', '/berth/v1/keys/rotations'],
      ['GET', '/berth/v1/scrubs/latest'],
    ] as const)
      assert.equal(await ask(method, wanted), 403, wanted);
  });
});
