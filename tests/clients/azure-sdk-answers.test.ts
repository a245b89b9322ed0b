import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ManagerClient } from '@berth/testkit';
import { all, refusal, useSdkTarget } from './azure-sdk-target.ts';

/** `@azure/arm-containerregistry`, unmodified: the types of what it reads, lists of several pages, and refusals. */
const target = useSdkTarget();
const group = 'berth';

test('a registry is read with the types, enumerations and defaults that the client declares', async () => {
  const { arm, owner } = target();
  const shown = await arm.registries.get(group, 'local');
  assert.equal(
    shown.id,
    `/subscriptions/${owner.subscriptionId}/resourceGroups/${group}/providers/Microsoft.ContainerRegistry/registries/local`,
  );
  assert.ok(shown.creationDate instanceof Date);
  assert.ok(shown.systemData?.createdAt instanceof Date && shown.systemData.lastModifiedAt instanceof Date);
  assert.equal(shown.systemData.createdByType, 'Application');
  assert.deepEqual(
    [shown.publicNetworkAccess, shown.networkRuleBypassOptions, shown.zoneRedundancy, shown.roleAssignmentMode],
    ['Enabled', 'AzureServices', 'Disabled', 'LegacyRegistryPermissions'],
  );
  assert.deepEqual(shown.networkRuleSet, { defaultAction: 'Allow', ipRules: [] });
  assert.deepEqual([shown.encryption?.status, shown.dataEndpointEnabled], ['disabled', false]);
  assert.deepEqual([shown.dataEndpointHostNames, shown.privateEndpointConnections], [[], []]);
  const { policies } = shown;
  assert.deepEqual(
    [policies?.quarantinePolicy?.status, policies?.trustPolicy, policies?.exportPolicy?.status],
    ['disabled', { type: 'Notary', status: 'disabled' }, 'enabled'],
  );
  assert.deepEqual([policies?.retentionPolicy?.days, policies?.retentionPolicy?.status], [7, 'disabled']);
  assert.equal(policies?.azureADAuthenticationAsArmPolicy?.status, 'enabled');
});

test('the plan changes and changes back, and the rest stays', async () => {
  const { arm } = target();
  const name = 'sdkplan';
  await arm.registries.create(group, name, { location: 'local', sku: { name: 'Basic' }, tags: { team: 'a' } });
  for (const plan of ['Standard', 'Premium', 'Basic'] as const) {
    const changed = await arm.registries.update(group, name, { sku: { name: plan } });
    assert.deepEqual([changed.sku, changed.tags], [{ name: plan, tier: plan }, { team: 'a' }]);
  }
  await arm.registries.delete(group, name);
});

test('usages are numbers with units and the limits of the plan', async () => {
  const { arm } = target();
  const { value = [] } = await arm.registries.listUsages(group, 'local');
  const found = new Map(value.map(({ name, limit, unit }) => [name, [limit, unit]]));
  assert.deepEqual(found.get('Webhooks'), [500, 'Count']);
  assert.deepEqual(found.get('Geo-replications'), [-1, 'Count']);
  assert.equal(found.get('Size')?.[1], 'Bytes');
});

test('children are dated, and lists of them go on over pages', async () => {
  const { arm } = target();
  const names = Array.from({ length: 105 }, (_, index) => `page-${String(index).padStart(3, '0')}`);
  for (const name of names) {
    const map = await arm.scopeMaps.create(group, 'local', name, { actions: ['repositories/a/content/read'] });
    assert.ok(map.creationDate instanceof Date && map.provisioningState === 'Succeeded');
  }
  const pages = await all(arm.scopeMaps.list(group, 'local').byPage());
  assert.equal(pages.length, 2);
  const own = pages.flat().filter((map) => map.typePropertiesType === 'UserDefined');
  assert.deepEqual(
    own.map((map) => map.name),
    names,
  );
});

test('every action is named once', async () => {
  const { arm } = target();
  const operations = await all(arm.operations.list());
  const names = operations.map((each) => each.name ?? '');
  assert.deepEqual(names, [...new Set(names)]);
  assert.ok(names.includes('Microsoft.ContainerRegistry/registries/importImage/action'));
  assert.ok(operations.every((each) => each.display?.provider === 'Microsoft.ContainerRegistry' && each.display.description));
});

test('a parameter that is refused is named as the target', async () => {
  const { arm } = target();
  await assert.rejects(
    arm.registries.regenerateCredential(group, 'local', { name: 'password3' as 'password' }),
    (error: { code?: unknown; details?: { error?: { code?: unknown; target?: unknown } } }) => {
      assert.equal(error.code, 'InvalidParameter');
      assert.deepEqual([error.details?.error?.code, error.details?.error?.target], ['InvalidParameter', 'name']);
      return true;
    },
  );
  const wrong = { code: 'InvalidParameter', statusCode: 400 };
  const ipRules = [{ iPAddressOrRange: '1.2.3.4/99' }];
  const update = (change: Parameters<typeof arm.registries.update>[2]) => refusal(arm.registries.update(group, 'local', change));
  assert.deepEqual(await update({ networkRuleSet: { defaultAction: 'Deny', ipRules } }), wrong);
  assert.deepEqual(await update({ policies: { retentionPolicy: { days: 9999, status: 'enabled' } } }), wrong);
  const trust = await update({ policies: { trustPolicy: { status: 'enabled' } } });
  assert.deepEqual(trust, { code: 'FeatureNotSupported', statusCode: 400 });
});

test('a name that is wrong or taken is refused', async () => {
  const { arm, owner, registry } = target();
  const type = 'Microsoft.ContainerRegistry/registries' as const;
  const { nameAvailable, reason } = await arm.registries.checkNameAvailability({ name: 'a-b', type });
  assert.deepEqual([nameAvailable, reason], [false, 'Invalid']);
  const body = { location: 'local', sku: { name: 'Basic' as const } };
  assert.deepEqual(await refusal(arm.registries.create(group, 'a-b', body)), { code: 'InvalidParameter', statusCode: 400 });
  // The client of registries makes no groups.
  using manager = new ManagerClient(registry.url, owner);
  await manager.call('PUT', `/subscriptions/${owner.subscriptionId}/resourceGroups/sdkother`, { location: 'local' });
  const taken = await refusal(arm.registries.create('sdkother', 'local', body));
  assert.deepEqual(taken, { code: 'AlreadyInUse', statusCode: 409 });
});

test('what does not exist, and who is not known, is said in the words of the resource manager', async () => {
  const { arm, owner, registry } = target();
  const notFound = { code: 'ResourceNotFound', statusCode: 404 };
  for (const missing of [
    () => arm.scopeMaps.get(group, 'local', 'nobody'),
    () => arm.tokens.get(group, 'local', 'nobody'),
    () => arm.webhooks.get(group, 'local', 'nobody'),
    () => arm.replications.get(group, 'local', 'nobody'),
    () => arm.webhooks.getCallbackConfig(group, 'local', 'nobody'),
    () => arm.registries.getPrivateLinkResource(group, 'local', 'nobody'),
    () => arm.registries.listUsages(group, 'nobody'),
  ])
    assert.deepEqual(await refusal(missing()), notFound, missing.toString());
  const forged = { getToken: async () => ({ token: 'a.b.c', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const stranger = new ContainerRegistryManagementClient(forged, owner.subscriptionId, { endpoint: registry.url });
  assert.deepEqual(await refusal(stranger.registries.get(group, 'local')), {
    code: 'InvalidAuthenticationToken',
    statusCode: 401,
  });
});
