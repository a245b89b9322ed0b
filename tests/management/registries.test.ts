import assert from 'node:assert/strict';
import { assertAnswered, assertArmError, createRegistry, managementTests, member } from './management-tests.ts';

managementTests('registries as resources', (check) => {
  check('acr-api 3.2: a registry is made, shown, listed, changed and deleted', async ({ manager, newName }) => {
    const name = newName();
    const path = manager.provider(`registries/${name}`);
    const body = { location: 'local', sku: { name: 'Premium' }, tags: { team: 'a' }, properties: { adminUserEnabled: true } };
    const made = assertAnswered(await manager.call('PUT', path, body), 201);
    assert.equal(member(made, 'id'), path);
    assert.equal(member(made, 'type'), 'Microsoft.ContainerRegistry/registries');
    assert.deepEqual(member(made, 'sku'), { name: 'Premium', tier: 'Premium' });
    assert.equal(member(made, 'properties.provisioningState'), 'Succeeded');
    assert.equal(member(made, 'properties.adminUserEnabled'), true);
    assert.ok(String(member(made, 'properties.loginServer')).startsWith(`${name}.`));
    assert.equal(member(made, 'systemData.createdBy'), 'owner');
    const shown = assertAnswered(await manager.call('GET', path), 200);
    assert.deepEqual(shown.json, made.json);
    for (const list of [
      manager.provider('registries'),
      `/subscriptions/${manager.owner.subscriptionId}/providers/Microsoft.ContainerRegistry/registries`,
    ]) {
      const { value } = assertAnswered(await manager.call('GET', list), 200).json as { value: { name: string }[] };
      assert.ok(
        value.some((each) => each.name === name),
        list,
      );
    }
    assertAnswered(await manager.call('DELETE', path), 200);
    assertAnswered(await manager.call('DELETE', path), 204);
    assertArmError(await manager.call('GET', path), 404, 'ResourceNotFound');
  });

  check('acr-api 3: paths are matched whatever their case, and keep the spelling of what was made', async (management) => {
    const { manager, url } = management;
    const path = await createRegistry(management);
    for (const spelling of [path.toLowerCase(), path.toUpperCase(), `${url}/${path}`]) {
      const shown = assertAnswered(await manager.call('GET', spelling), 200);
      assert.equal(member(shown, 'id'), path);
    }
  });

  check('PATCH changes what it names and nothing else', async (management) => {
    const { manager } = management;
    const rules = { defaultAction: 'Deny', ipRules: [{ value: '203.0.113.0/24' }, { value: '2001:db8::/32' }] };
    const path = await createRegistry(management, {
      networkRuleSet: rules,
      policies: { quarantinePolicy: { status: 'enabled' } },
    });
    const patch = (properties: object, more: object = {}) => manager.call('PATCH', path, { properties, ...more });
    assertAnswered(await patch({ policies: { retentionPolicy: { status: 'enabled', days: 3 } } }), 200);
    assertAnswered(await patch({ policies: { retentionPolicy: { status: 'disabled' } } }, { tags: { a: 'b' } }), 200);
    const after = assertAnswered(await patch({ anonymousPullEnabled: true }), 200);
    assert.equal(member(after, 'properties.policies.quarantinePolicy.status'), 'enabled');
    assert.equal(member(after, 'properties.policies.retentionPolicy.status'), 'disabled');
    assert.equal(member(after, 'properties.policies.retentionPolicy.days'), 3);
    assert.equal(member(after, 'properties.networkRuleSet.ipRules.1.value'), '2001:db8::/32');
    assert.equal(member(after, 'properties.anonymousPullEnabled'), true);
    assert.deepEqual(member(after, 'tags'), { a: 'b' });
    const fewer = assertAnswered(await patch({ networkRuleSet: { ipRules: [] } }), 200);
    assert.deepEqual(member(fewer, 'properties.networkRuleSet'), { defaultAction: 'Deny', ipRules: [] });
  });

  check('ten writers at once lose none of their changes', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management);
    const policies = ['quarantinePolicy', 'retentionPolicy', 'softDeletePolicy'];
    const answers = await Promise.all(
      policies.map((name) => manager.call('PATCH', path, { properties: { policies: { [name]: { status: 'enabled' } } } })),
    );
    for (const answer of answers) assertAnswered(answer, 200, 409);
    const after = await manager.call('GET', path);
    for (const [index, name] of policies.entries())
      assert.equal(
        member(after, `properties.policies.${name}.status`),
        answers[index]?.status === 200 ? 'enabled' : 'disabled',
        name,
      );
  });

  check('what is wrong is named', async (management) => {
    const { manager, newName } = management;
    const path = await createRegistry(management);
    const wrong: readonly (readonly [object, string])[] = [
      [{ properties: { adminUserEnabled: 'yes' } }, 'properties.adminUserEnabled'],
      [{ properties: { policies: { retentionPolicy: { days: 366 } } } }, 'properties.policies.retentionPolicy.days'],
      [
        { properties: { policies: { softDeletePolicy: { retentionDays: 0 } } } },
        'properties.policies.softDeletePolicy.retentionDays',
      ],
      [{ properties: { publicNetworkAccess: 'Perhaps' } }, 'properties.publicNetworkAccess'],
      [
        { properties: { networkRuleSet: { ipRules: [{ value: '1.2.3.4' }, { value: '1.2.3.4/33' }] } } },
        'properties.networkRuleSet.ipRules[1].value',
      ],
      [{ sku: { name: 'Gold' } }, 'sku.name'],
      [{ location: 'elsewhere' }, 'location'],
      [{ properties: { zoneRedundancy: 'Enabled' } }, 'properties.zoneRedundancy'],
      [{ tags: { a: 'x'.repeat(257) } }, 'tags.a'],
      [{ tags: [] }, 'tags'],
    ];
    for (const [body, target] of wrong) {
      const answer = await manager.call('PATCH', path, body);
      if (target === 'tags') assertAnswered(answer, 400);
      else assertArmError(answer, 400, 'InvalidParameter', target);
    }
    assertArmError(
      await manager.call('PUT', manager.provider('registries/ab'), { location: 'local', sku: { name: 'Basic' } }),
      400,
      'InvalidParameter',
      'registryName',
    );
    const fresh = manager.provider(`registries/${newName()}`);
    assertArmError(await manager.call('PUT', fresh, { sku: { name: 'Basic' } }), 400, 'InvalidParameter', 'location');
    assertArmError(await manager.call('PUT', fresh, { location: 'local' }), 400, 'InvalidParameter', 'sku.name');
    assertArmError(await manager.call('GET', `${path}?api-version=`), 400, 'MissingApiVersionParameter');
    assertArmError(await manager.call('GET', `${path}?api-version=latest`), 400, 'InvalidParameter', 'api-version');
    assertArmError(await manager.call('GET', manager.provider('registries/none', 'nowhere')), 404, 'ResourceGroupNotFound');
    assertArmError(
      await manager.call('GET', path.replace(manager.owner.subscriptionId, '00000000-0000-0000-0000-000000000000')),
      403,
      'AuthorizationFailed',
    );
    assertArmError(await manager.call('GET', `${path}/nothing`), 404, 'NotFound');
  });

  check('attack 44: members of a body that are no members of ours have no effect', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management);
    const body =
      '{"__proto__":{"properties":{"adminUserEnabled":true}},"constructor":{"prototype":{"sku":1}},"properties":{"__proto__":{"anonymousPullEnabled":true}}}';
    const answer = assertAnswered(
      await manager.call('PATCH', path, undefined, { body, headers: { 'content-type': 'application/json' } }),
      200,
    );
    assert.equal(member(answer, 'properties.adminUserEnabled'), false);
    assert.equal(member(answer, 'properties.anonymousPullEnabled'), false);
  });

  check('a name that is taken is refused, and told before', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management);
    const name = path.split('/').at(-1) ?? '';
    const ask = (wanted: string) =>
      manager.call(
        'POST',
        `/subscriptions/${manager.owner.subscriptionId}/providers/Microsoft.ContainerRegistry/checkNameAvailability`,
        {
          name: wanted,
          type: 'Microsoft.ContainerRegistry/registries',
        },
      );
    assert.equal(member(await ask(name.toUpperCase()), 'reason'), 'AlreadyExists');
    assert.equal(member(await ask('a_b'), 'reason'), 'Invalid');
    assert.equal(member(await ask(`${name}x`), 'nameAvailable'), true);
    const group = `/subscriptions/${manager.owner.subscriptionId}/resourceGroups/other-${name}`;
    assertAnswered(await manager.call('PUT', group, { location: 'local' }), 201);
    const elsewhere = manager.provider(`registries/${name}`, `other-${name}`);
    assertArmError(
      await manager.call('PUT', elsewhere, { location: 'local', sku: { name: 'Basic' } }),
      409,
      'AlreadyInUse',
      'registryName',
    );
    assertAnswered(await manager.call('DELETE', group), 200);
  });

  check('what Berth does not have is refused with the reason, not taken and forgotten', async (management) => {
    const { manager } = management;
    const path = await createRegistry(management);
    const missing: readonly (readonly [object, string])[] = [
      [{ identity: { type: 'SystemAssigned' } }, 'identity'],
      [{ properties: { encryption: { status: 'enabled' } } }, 'properties.encryption'],
      [{ properties: { policies: { trustPolicy: { status: 'enabled' } } } }, 'properties.policies.trustPolicy'],
    ];
    for (const [body, target] of missing)
      assertArmError(await manager.call('PATCH', path, body), 400, 'FeatureNotSupported', target);
  });

  check('the default registry stays', async ({ manager }) => {
    assertArmError(await manager.call('DELETE', manager.provider('registries/local')), 409, 'Conflict');
    assertArmError(
      await manager.call('DELETE', `/subscriptions/${manager.owner.subscriptionId}/resourceGroups/berth`),
      409,
      'Conflict',
    );
  });
});
