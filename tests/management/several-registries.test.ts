import assert from 'node:assert/strict';
import { type ClientAnswer, randomImage } from '@berth/testkit';
import { assertAnswered, createRegistry, managementTests, member, type Management } from './management-tests.ts';

interface Tenant {
  readonly name: string;
  readonly path: string;
  readonly loginServer: string;
  readonly basic: string;
  request(
    method: string,
    path: string,
    more?: { readonly authorization?: string; readonly body?: Uint8Array | string; readonly type?: string },
  ): Promise<ClientAnswer>;
}

/** A registry of its own name, asked through the one port by its host name. */
async function newTenant(management: Management): Promise<Tenant> {
  const { manager, client } = management;
  const path = await createRegistry(management, { adminUserEnabled: true });
  const shown = await manager.call('GET', path);
  const loginServer = String(member(shown, 'properties.loginServer'));
  const credentials = assertAnswered(await manager.call('POST', `${path}/listCredentials`), 200);
  const basic = `Basic ${Buffer.from(`${String(member(credentials, 'username'))}:${String(member(credentials, 'passwords.0.value'))}`).toString('base64')}`;
  return {
    name: path.split('/').at(-1) ?? '',
    path,
    loginServer,
    basic,
    request: (method, wanted, { authorization = basic, body, type } = {}) =>
      client.request(method, wanted, {
        authorization,
        headers: { host: loginServer, ...(type !== undefined && { 'content-type': type }) },
        ...(body !== undefined && { body }),
      }),
  };
}

async function push(tenant: Tenant, repository: string): Promise<string> {
  const { config, layers, manifest } = randomImage();
  for (const { bytes, digest } of [config, ...layers])
    assert.equal(
      (
        await tenant.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
          body: bytes,
          type: 'application/octet-stream',
        })
      ).status,
      201,
    );
  const answer = await tenant.request('PUT', `/v2/${repository}/manifests/v1`, {
    body: manifest.bytes,
    type: manifest.mediaType,
  });
  assert.equal(answer.status, 201);
  return config.digest;
}

managementTests('several registries in one deployment', (check) => {
  check('each has its own content, users and challenge', async (management) => {
    const { client } = management;
    const [one, two] = [await newTenant(management), await newTenant(management)];
    const blob = await push(one, 'app');
    assert.equal((await one.request('GET', '/v2/app/manifests/v1')).status, 200);
    assert.equal((await two.request('GET', '/v2/app/manifests/v1')).status, 404);
    assert.equal((await client.request('GET', '/v2/app/manifests/v1')).status, 404);
    assert.equal((await two.request('GET', '/v2/app/manifests/v1', { authorization: one.basic })).status, 401, 'attack 20');
    assert.equal(
      (await two.request('POST', `/v2/app/blobs/uploads/?mount=${blob}&from=app`)).status,
      202,
      'attack 15: nothing is mounted across',
    );
    const challenge = String((await two.request('GET', '/v2/', { authorization: 'none' })).headers['www-authenticate']);
    assert.match(challenge, new RegExp(`realm="http://${two.loginServer}/oauth2/token",service="${two.loginServer}"`));
    const elsewhere = await client.request('GET', '/v2/', {
      authorization: 'none',
      headers: { host: `nobody.${management.host}` },
    });
    assert.ok(
      String(elsewhere.headers['www-authenticate']).includes(`service="${management.host}"`),
      'an unknown host is the default registry',
    );
  });

  check('attack 20: a token of one registry opens no other', async (management) => {
    const [one, two] = [await newTenant(management), await newTenant(management)];
    await push(two, 'app');
    const answer = await one.request('GET', '/oauth2/token?scope=repository:*:*&scope=registry:catalog:*');
    const authorization = `Bearer ${(JSON.parse(answer.body.toString()) as { access_token: string }).access_token}`;
    assert.equal((await one.request('GET', '/v2/_catalog', { authorization })).status, 200);
    for (const path of ['/v2/', '/v2/_catalog', '/v2/app/manifests/v1'])
      assert.equal((await two.request('GET', path, { authorization })).status, 401);
  });

  check('attack 23: children of one registry are not reached through another', async (management) => {
    const { manager } = management;
    const [one, two] = [await newTenant(management), await newTenant(management)];
    const hook = {
      location: 'local',
      properties: { serviceUri: 'https://x.example/', customHeaders: { k: 'secret' }, actions: ['push'] },
    };
    const made = await manager.call('PUT', `${one.path}/webhooks/hook1`, hook);
    assertAnswered(made, 201);
    assert.doesNotMatch(made.body.toString(), /x\.example|secret/, 'where it sends to is never shown with it');
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['POST', '/getCallbackConfig'],
    ] as const)
      assertAnswered(await manager.call(method, `${two.path}/webhooks/hook1${path}`, method === 'GET' ? undefined : {}), 404);
    assertAnswered(await manager.call('DELETE', `${two.path}/webhooks/hook1`), 204);
    const config = assertAnswered(await manager.call('POST', `${one.path}/webhooks/hook1/getCallbackConfig`), 200);
    assert.deepEqual(config.json, { serviceUri: 'https://x.example/', customHeaders: { k: 'secret' } });
    assertAnswered(
      await manager.call('PATCH', `${one.path}/webhooks/hook1`, { properties: { serviceUri: 'https://y.example/' } }),
      200,
    );
    const moved = await manager.call('POST', `${one.path}/webhooks/hook1/getCallbackConfig`);
    assert.deepEqual(
      moved.json,
      { serviceUri: 'https://y.example/', customHeaders: {} },
      'attack 30: another host does not get the secret',
    );
  });

  check('a deleted registry is gone at once, and its name begins anew', async (management) => {
    const { manager } = management;
    const tenant = await newTenant(management);
    await push(tenant, 'app');
    assertAnswered(await manager.call('DELETE', tenant.path), 200);
    assert.notEqual((await tenant.request('GET', '/v2/app/manifests/v1')).status, 200);
    assertAnswered(
      await manager.call('PUT', tenant.path, {
        location: 'local',
        sku: { name: 'Basic' },
        properties: { adminUserEnabled: true },
      }),
      201,
    );
    assert.equal((await tenant.request('GET', '/v2/')).status, 401, 'the password of before is none');
    const credentials = await manager.call('POST', `${tenant.path}/listCredentials`);
    const authorization = `Basic ${Buffer.from(`${tenant.name}:${String(member(credentials, 'passwords.1.value'))}`).toString('base64')}`;
    const catalog = await tenant.request('GET', '/v2/_catalog', { authorization });
    assert.deepEqual(JSON.parse(catalog.body.toString()), { repositories: [] });
  });

  check('the admin user works while it is enabled, and its tokens end with it', async (management) => {
    const { manager } = management;
    const tenant = await newTenant(management);
    const answer = await tenant.request('GET', '/oauth2/token?scope=registry:catalog:*');
    const authorization = `Bearer ${(JSON.parse(answer.body.toString()) as { access_token: string }).access_token}`;
    assert.equal((await tenant.request('GET', '/v2/_catalog', { authorization })).status, 200);
    assertAnswered(await manager.call('PATCH', tenant.path, { properties: { adminUserEnabled: false } }), 200);
    for (const each of [authorization, tenant.basic])
      assert.equal((await tenant.request('GET', '/v2/_catalog', { authorization: each })).status, 401);
    assertAnswered(await manager.call('POST', `${tenant.path}/listCredentials`), 409);
    assertAnswered(await manager.call('PATCH', tenant.path, { properties: { adminUserEnabled: true } }), 200);
    assert.equal((await tenant.request('GET', '/v2/_catalog')).status, 200, 'the passwords are what they were');
    assert.equal((await tenant.request('GET', '/v2/_catalog', { authorization })).status, 401, 'attack 22');
    const renewed = assertAnswered(await manager.call('POST', `${tenant.path}/regenerateCredential`, { name: 'password' }), 200);
    assert.notEqual(
      `Basic ${Buffer.from(`${tenant.name}:${String(member(renewed, 'passwords.0.value'))}`).toString('base64')}`,
      tenant.basic,
    );
    assert.equal((await tenant.request('GET', '/v2/_catalog')).status, 401);
  });
});
