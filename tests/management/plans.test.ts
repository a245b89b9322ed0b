import assert from 'node:assert/strict';
import { assertAnswered, assertArmError, createRegistry, managementTests, member } from './management-tests.ts';

managementTests('plans of registries (acr-api 4)', (check) => {
  check('a plan has what it has, and no more', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management, {}, 'Basic');
    const gated: readonly (readonly [object, string])[] = [
      [{ anonymousPullEnabled: true }, 'properties.anonymousPullEnabled'],
      [{ dataEndpointEnabled: true }, 'properties.dataEndpointEnabled'],
      [{ publicNetworkAccess: 'Disabled' }, 'properties.publicNetworkAccess'],
      [{ networkRuleSet: { defaultAction: 'Deny' } }, 'properties.networkRuleSet'],
      [{ policies: { retentionPolicy: { status: 'enabled' } } }, 'properties.policies.retentionPolicy'],
    ];
    for (const [properties, target] of gated)
      assertArmError(await manager.call('PATCH', path, { properties }), 400, 'FeatureNotSupported', target);
    assertAnswered(
      await manager.call('PATCH', path, { properties: { policies: { softDeletePolicy: { status: 'enabled' } } } }),
      200,
    );
    assertAnswered(await manager.call('PATCH', path, { sku: { name: 'standard' } }), 200);
    assertAnswered(await manager.call('PATCH', path, { properties: { anonymousPullEnabled: true } }), 200);
  });

  check('children are counted', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management, {}, 'Basic');
    const put = (name: string) =>
      manager.call('PUT', `${path}/webhooks/${name}`, {
        location: 'local',
        properties: { serviceUri: 'https://x.example/', actions: ['push'] },
      });
    for (const name of ['first', 'second']) assertAnswered(await put(name), 201);
    assertAnswered(await put('second'), 200);
    assertArmError(await put('third'), 403, 'QuotaExceeded');
    assertArmError(
      await manager.call('PUT', `${path}/replications/west1`, { location: 'west1', properties: {} }),
      403,
      'QuotaExceeded',
    );
    const usages = assertAnswered(await manager.call('GET', `${path}/listUsages`), 200).json as {
      value: { name: string; limit: number; currentValue: number }[];
    };
    assert.deepEqual(
      usages.value.find((each) => each.name === 'Webhooks'),
      { name: 'Webhooks', limit: 2, currentValue: 2, unit: 'Count' },
    );
    assertAnswered(await manager.call('DELETE', `${path}/webhooks/first`), 200);
    assertAnswered(await put('third'), 201);
  });

  check('Premium is left when nothing needs it, and the answer says what does', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management, {
      anonymousPullEnabled: true,
      networkRuleSet: { defaultAction: 'Deny', ipRules: [] },
    });
    assertAnswered(await manager.call('PUT', `${path}/replications/west1`, { location: 'west1', properties: {} }), 201);
    const refused = await manager.call('PATCH', path, { sku: { name: 'Basic' } });
    assertArmError(refused, 409, 'Conflict', 'sku.name');
    for (const obstacle of [/1 replications \(delete them\)/, /network rules/, /anonymous pull/])
      assert.match(String(member(refused, 'error.message')), obstacle);
    assertAnswered(await manager.call('DELETE', `${path}/replications/west1`), 200);
    const properties = { anonymousPullEnabled: false, networkRuleSet: { defaultAction: 'Allow' } };
    const left = assertAnswered(await manager.call('PATCH', path, { sku: { name: 'Basic' }, properties }), 200);
    assert.deepEqual(member(left, 'sku'), { name: 'Basic', tier: 'Basic' });
  });
});
