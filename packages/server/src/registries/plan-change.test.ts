import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../errors/index.ts';
import type { RegistryProperties } from './model.ts';
import {
  type PlannedRegistry,
  type RegistryUsage,
  premiumFeaturesInUse,
  requireFeaturesOfPlan,
  requirePlanChange,
} from './plan-change.ts';
import { standardPlans } from './plans.ts';

function registry(properties: RegistryProperties = {}, more: Partial<PlannedRegistry> = {}): PlannedRegistry {
  return { plan: 'Premium', isAnonymousPullEnabled: false, properties, ...more };
}

function refusal(of: PlannedRegistry, usage: RegistryUsage, to: 'Basic' | 'Standard' | 'Premium'): string | undefined {
  try {
    requirePlanChange(standardPlans, of, usage, to);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RegistryError && error.error === 'CONFLICT' && error.target === 'sku.name');
    return error.message;
  }
}

/** Each alone keeps a registry in Premium. */
const premiumProperties: readonly RegistryProperties[] = [
  { networkRuleSet: { defaultAction: 'Deny' } },
  { networkRuleSet: { ipRules: [{ value: '203.0.113.7' }] } },
  { publicNetworkAccess: 'Disabled' },
  { dataEndpointEnabled: true },
  { regionalEndpoints: 'Enabled' },
  { endpointProtocol: 'IPv4AndIPv6' },
  { policies: { retentionPolicy: { status: 'enabled' } } },
  { policies: { trustPolicy: { status: 'enabled' } } },
  { policies: { exportPolicy: { status: 'disabled' } } },
];
const premiumUsages: readonly RegistryUsage[] = [
  { replications: 1 },
  { privateEndpoints: 1 },
  { connectedRegistries: 1 },
  { agentPools: 1 },
  { transferPipelines: 1 },
  { streamedRepositories: 1 },
  { hasCustomerManagedKey: true },
];

test('a registry leaves Premium in place when it uses nothing that only Premium has', () => {
  const plain = registry({
    networkRuleSet: { defaultAction: 'Allow', ipRules: [] },
    publicNetworkAccess: 'Enabled',
    dataEndpointEnabled: false,
    endpointProtocol: 'IPv4',
    regionalEndpoints: 'Disabled',
    zoneRedundancy: 'Enabled',
    roleAssignmentMode: 'AbacRepositoryPermissions',
    policies: {
      retentionPolicy: { status: 'disabled', days: 7 },
      softDeletePolicy: { status: 'enabled' },
      exportPolicy: { status: 'enabled' },
      trustPolicy: { status: 'disabled' },
    },
  });
  assert.deepEqual(premiumFeaturesInUse(plain, {}), []);
  for (const plan of ['Basic', 'Standard', 'Premium'] as const) {
    assert.equal(refusal(plain, { webhooks: 2, tokens: 100, storedBytes: 2 ** 40 }, plan), undefined);
    requireFeaturesOfPlan({ ...plain, plan });
  }
});

test('each Premium feature alone keeps a registry from leaving, and is named with its remedy', () => {
  for (const properties of premiumProperties) {
    const of = registry(properties);
    assert.equal(premiumFeaturesInUse(of, {}).length, 1, JSON.stringify(properties));
    for (const plan of ['Basic', 'Standard'] as const) {
      assert.match(
        refusal(of, {}, plan) ?? '',
        new RegExp(`^the registry cannot change from the plan Premium to ${plan} .+\\(.+\\)$`),
      );
      assert.throws(() => requireFeaturesOfPlan({ ...of, plan }), { error: 'FEATURE_NOT_SUPPORTED', target: /^properties\./ });
    }
    assert.equal(refusal(of, {}, 'Premium'), undefined);
    requireFeaturesOfPlan(of);
  }
  for (const usage of premiumUsages) {
    assert.equal(premiumFeaturesInUse(registry(), usage).length, 1, JSON.stringify(usage));
    assert.ok(refusal(registry(), usage, 'Standard') !== undefined);
  }
});

test('all that stands in the way is said at once', () => {
  const of = registry(
    { policies: { retentionPolicy: { status: 'enabled' } }, dataEndpointEnabled: true },
    { isAnonymousPullEnabled: true },
  );
  assert.equal(
    refusal(of, { replications: 2, webhooks: 12 }, 'Basic'),
    'the registry cannot change from the plan Premium to Basic while it uses what Basic does not allow: 2 replications (delete them); dedicated data endpoints (disable them); the retention policy (disable it); anonymous pull (disable it); 12 webhooks (Basic allows 2: delete 10)',
  );
  assert.doesNotMatch(refusal(of, { webhooks: 10 }, 'Standard') ?? '', /anonymous|webhooks/);
});

test('more than the smaller plan allows is in the way, too; a larger plan takes everything', () => {
  assert.match(refusal(registry(), { tokens: 501, scopeMaps: 501 }, 'Standard') ?? '', /501 tokens .+ 501 scope maps/);
  assert.match(refusal(registry(), { storedBytes: 41 * 2 ** 40 }, 'Standard') ?? '', /stored bytes/);
  const basic = registry({}, { plan: 'Basic', isAnonymousPullEnabled: true });
  assert.equal(refusal(basic, { webhooks: 2 }, 'Standard'), undefined);
  assert.equal(refusal(basic, { webhooks: 99 }, 'Basic'), undefined, 'no change is no conflict');
});

test('what a request asks for must be in its plan', () => {
  assert.throws(() => requireFeaturesOfPlan(registry({}, { plan: 'Basic', isAnonymousPullEnabled: true })), {
    error: 'FEATURE_NOT_SUPPORTED',
    message: /^Anonymous pull is not supported for the SKU Basic/,
    target: 'properties.anonymousPullEnabled',
  });
});
