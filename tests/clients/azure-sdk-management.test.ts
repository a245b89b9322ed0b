import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { RegistryClient, randomImage } from '@berth/testkit';
import { all, refusal, useSdkTarget } from './azure-sdk-target.ts';

/** `@azure/arm-containerregistry` and `@azure/identity`, unmodified: every operation that this build serves. */
const target = useSdkTarget();
const group = 'berth';

test('sign-in works at the ADFS authority and at the tenant, and not with a wrong secret', async () => {
  const { credential, owner, registry } = target();
  for (const tenant of ['adfs', owner.tenantId]) {
    const client = new ContainerRegistryManagementClient(credential(tenant), owner.subscriptionId, { endpoint: registry.url });
    assert.ok((await all(client.registries.list())).length > 0, tenant);
  }
  const wrong = credential('adfs', { ...owner, clientSecret: 'wrong' });
  await assert.rejects(wrong.getToken('https://management.azure.com/.default'), /client secret is wrong/);
});

test('a registry is checked, made, shown, listed, changed and deleted', async () => {
  const { arm } = target();
  const name = 'sdkone';
  const type = 'Microsoft.ContainerRegistry/registries' as const;
  assert.equal((await arm.registries.checkNameAvailability({ name, type })).nameAvailable, true);
  const made = await arm.registries.create(group, name, { location: 'local', sku: { name: 'Premium' }, adminUserEnabled: true });
  assert.deepEqual([made.name, made.type, made.provisioningState, made.adminUserEnabled], [name, type, 'Succeeded', true]);
  assert.ok(made.creationDate instanceof Date && made.loginServer?.startsWith(`${name}.`));
  assert.deepEqual(made.sku, { name: 'Premium', tier: 'Premium' });
  assert.equal((await arm.registries.checkNameAvailability({ name, type })).reason, 'AlreadyExists');
  const changed = await arm.registries.update(group, name, {
    tags: { team: 'a' },
    anonymousPullEnabled: true,
    networkRuleSet: { defaultAction: 'Deny', ipRules: [{ action: 'Allow', iPAddressOrRange: '203.0.113.0/24' }] },
    policies: { retentionPolicy: { days: 3, status: 'enabled' }, quarantinePolicy: { status: 'enabled' } },
    roleAssignmentMode: 'AbacRepositoryPermissions',
  });
  assert.deepEqual(changed.tags, { team: 'a' });
  assert.equal(changed.networkRuleSet?.ipRules?.[0]?.iPAddressOrRange, '203.0.113.0/24');
  assert.ok(changed.policies?.retentionPolicy?.lastUpdatedTime instanceof Date);
  const shown = await arm.registries.get(group, name);
  assert.deepEqual(shown, changed);
  for (const list of [arm.registries.list(), arm.registries.listByResourceGroup(group)])
    assert.ok((await all(list)).some((each) => each.name === name));
  const usages = (await arm.registries.listUsages(group, name)).value ?? [];
  assert.deepEqual(
    usages.map((each) => each.name),
    ['Size', 'Webhooks', 'Geo-replications', 'IPRules', 'VNetRules', 'PrivateEndpointConnections', 'ScopeMaps', 'Tokens'],
  );
  const links = await all(arm.registries.listPrivateLinkResources(group, name));
  assert.deepEqual(await arm.registries.getPrivateLinkResource(group, name, 'registry'), links[0]);
  await arm.registries.delete(group, name);
  assert.deepEqual(await refusal(arm.registries.get(group, name)), {
    code: 'ResourceNotFound',
    statusCode: 404,
  });
  await arm.registries.delete(group, name);
});

test('the passwords of the admin user are shown and replaced', async () => {
  const { arm, registry } = target();
  const { username, passwords } = await arm.registries.listCredentials(group, 'local');
  assert.equal(username, 'local');
  assert.equal(passwords?.find((each) => each.name === 'password')?.value, registry.password);
  const second = passwords?.find((each) => each.name === 'password2')?.value;
  const renewed = await arm.registries.regenerateCredential(group, 'local', { name: 'password2' });
  assert.notEqual(renewed.passwords?.find((each) => each.name === 'password2')?.value, second);
});

test('scope maps and tokens', async () => {
  const { arm } = target();
  const map = await arm.scopeMaps.create(group, 'local', 'sdk-map', {
    actions: ['repositories/a/content/read'],
    description: 'd',
  });
  assert.deepEqual([map.typePropertiesType, map.actions], ['UserDefined', ['repositories/a/content/read']]);
  const wider = await arm.scopeMaps.update(group, 'local', 'sdk-map', {
    actions: ['repositories/a/content/read', 'repositories/b/*/content/read'],
  });
  assert.equal(wider.actions?.length, 2);
  assert.equal((await all(arm.scopeMaps.list(group, 'local'))).length, 6);
  assert.equal((await arm.scopeMaps.get(group, 'local', 'sdk-map')).description, 'd');
  const token = await arm.tokens.create(group, 'local', 'sdk-token', {
    ...(map.id !== undefined && { scopeMapId: map.id }),
    status: 'enabled',
  });
  assert.equal(token.scopeMapId, map.id);
  const expiry = new Date(Date.now() + 86_400_000);
  const generated = await arm.registries.generateCredentials(group, 'local', {
    ...(token.id !== undefined && { tokenId: token.id }),
    expiry,
  });
  assert.deepEqual(
    generated.passwords?.map((each) => [each.name, each.expiry?.getTime(), typeof each.value]),
    [
      ['password1', expiry.getTime(), 'string'],
      ['password2', expiry.getTime(), 'string'],
    ],
  );
  const shown = await arm.tokens.get(group, 'local', 'sdk-token');
  assert.deepEqual(
    shown.credentials?.passwords?.map((each) => each.value),
    [undefined, undefined],
  );
  assert.equal((await arm.tokens.update(group, 'local', 'sdk-token', { status: 'disabled' })).status, 'disabled');
  assert.equal((await all(arm.tokens.list(group, 'local'))).length, 1);
  await arm.tokens.delete(group, 'local', 'sdk-token');
  await arm.scopeMaps.delete(group, 'local', 'sdk-map');
  const wrong = await refusal(arm.scopeMaps.create(group, 'local', 'sdk-map', { actions: ['repositories/a/everything'] }));
  assert.deepEqual(wrong, { code: 'InvalidParameter', statusCode: 400 });
});

test('webhooks and replications', async () => {
  const { arm } = target();
  const hook = await arm.webhooks.create(group, 'local', 'sdkhook', {
    location: 'local',
    serviceUri: 'https://hooks.example/',
    customHeaders: { k: 'v' },
    actions: ['push', 'delete'],
    scope: 'a:*',
  });
  assert.deepEqual(
    [hook.status, hook.scope, hook.actions, hook.provisioningState],
    ['enabled', 'a:*', ['push', 'delete'], 'Succeeded'],
  );
  assert.equal((await arm.webhooks.update(group, 'local', 'sdkhook', { status: 'disabled' })).status, 'disabled');
  assert.deepEqual(await arm.webhooks.getCallbackConfig(group, 'local', 'sdkhook'), {
    serviceUri: 'https://hooks.example/',
    customHeaders: { k: 'v' },
  });
  assert.equal((await all(arm.webhooks.list(group, 'local'))).length, 1);
  assert.equal((await arm.webhooks.get(group, 'local', 'sdkhook')).location, 'local');
  await arm.webhooks.delete(group, 'local', 'sdkhook');
  await target().startOtherRegion();
  const replica = await arm.replications.create(group, 'local', 'westeu', { location: 'westeu', regionEndpointEnabled: false });
  assert.equal(replica.regionEndpointEnabled, false);
  assert.equal(
    (await arm.replications.update(group, 'local', 'westeu', { regionEndpointEnabled: true })).regionEndpointEnabled,
    true,
  );
  // The home region is one of them (acr-api 6.13).
  assert.deepEqual(
    (await all(arm.replications.list(group, 'local'))).map((each) => each.name),
    ['local', 'westeu'],
  );
  assert.equal((await arm.replications.get(group, 'local', 'westeu')).name, 'westeu');
  await arm.replications.delete(group, 'local', 'westeu');
  assert.equal((await all(arm.replications.list(group, 'local'))).length, 0);
});

test('an image is imported, and what cannot be says why', async () => {
  const { arm, registry, owner } = target();
  using client = new RegistryClient({ url: registry.url, username: registry.username, password: registry.password });
  const image = randomImage();
  await client.pushImage('source', image, 'v1');
  const resourceId = `/subscriptions/${owner.subscriptionId}/resourceGroups/${group}/providers/Microsoft.ContainerRegistry/registries/local`;
  const request = { source: { resourceId, sourceImage: 'source:v1' }, targetTags: ['copy:v1'] };
  await arm.registries.importImage(group, 'local', request);
  assert.deepEqual(await client.pull('copy', 'manifests', 'v1'), image.manifest.bytes);
  await client.pushImage('source', randomImage(), 'v1');
  assert.equal((await refusal(arm.registries.importImage(group, 'local', request))).statusCode, 409);
  await arm.registries.importImage(group, 'local', { ...request, mode: 'Force' });
  const refused = await refusal(
    arm.registries.importImage(group, 'local', { source: { registryUri: '127.0.0.1:9', sourceImage: 'a:b' } }),
  );
  assert.deepEqual(refused, { code: 'InvalidParameter', statusCode: 400 });
});

test('errors are those of the resource manager', async () => {
  const { arm, registry, credential } = target();
  const body = { location: 'local', sku: { name: 'Basic' as const } };
  assert.deepEqual(await refusal(arm.registries.create('nowhere', 'sdktwo', body)), {
    code: 'ResourceGroupNotFound',
    statusCode: 404,
  });
  assert.deepEqual(await refusal(arm.registries.create(group, 'sdktwo', { ...body, anonymousPullEnabled: true })), {
    code: 'FeatureNotSupported',
    statusCode: 400,
  });
  await arm.registries.create(group, 'sdktwo', body);
  for (const name of ['hookone', 'hooktwo'])
    await arm.webhooks.create(group, 'sdktwo', name, {
      location: 'local',
      serviceUri: 'https://hooks.example/',
      actions: ['push'],
    });
  const third = arm.webhooks.create(group, 'sdktwo', 'hookthree', {
    location: 'local',
    serviceUri: 'https://hooks.example/',
    actions: ['push'],
  });
  assert.equal((await refusal(third)).code, 'QuotaExceeded');
  const elsewhere = new ContainerRegistryManagementClient(credential(), '00000000-0000-0000-0000-000000000000', {
    endpoint: registry.url,
  });
  assert.equal((await refusal(elsewhere.registries.get(group, 'local'))).code, 'AuthorizationFailed');
  await arm.registries.delete(group, 'sdktwo');
});
