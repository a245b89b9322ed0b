import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal, RegistryError, type ErrorName } from '../errors/index.ts';
import { parsePlanLimits } from './parse-plan-limits.ts';
import {
  type Countable,
  type Demand,
  type Feature,
  callRatesOf,
  hasFeature,
  limitNames,
  planNames,
  requireFeature,
  requireRoomFor,
  standardPlans,
} from './plans.ts';

function messageOf(error: ErrorName, call: () => void): string {
  try {
    call();
  } catch (thrown) {
    assert.ok(thrown instanceof RegistryError, String(thrown));
    assert.equal(thrown.error, error);
    return thrown.message;
  }
  return 'nothing thrown';
}

test("the plans allow what ACR's tiers do (acr-api 4.1, 4.2)", () => {
  const row = (name: keyof typeof standardPlans.Basic) => planNames.map((plan) => standardPlans[plan][name]);
  const expected: Readonly<Record<Countable, readonly number[]>> = {
    webhooks: [2, 10, 500],
    privateEndpoints: [0, 0, 200],
    ipRules: [0, 0, 200],
    virtualNetworkRules: [0, 0, 100],
    tokens: [100, 500, 50_000],
    scopeMaps: [100, 500, 50_000],
    actionsPerScopeMap: [500, 500, 500],
    repositoriesPerScopeMap: [500, 500, 500],
    cacheRules: [1000, 1000, 1000],
    replications: [0, 0, Number.POSITIVE_INFINITY],
  };
  for (const [name, values] of Object.entries(expected)) assert.deepEqual(row(name as Countable), values, name);
  assert.deepEqual(
    row('includedStorageBytes').map((bytes) => bytes / 2 ** 30),
    [10, 100, 500],
  );
  assert.deepEqual(
    row('storageBytes').map((bytes) => bytes / 2 ** 40),
    [40, 40, 100],
  );
  assert.deepEqual(callRatesOf(standardPlans).Basic, {
    registry: { read: 10_000, write: 2000, delete: 1000, referrers: 500, token: 10_000 },
    identity: { read: 5000, write: 1000, delete: 500, referrers: 250 },
  });
  assert.deepEqual(callRatesOf(standardPlans).Standard, callRatesOf(standardPlans).Basic);
  assert.deepEqual(callRatesOf(standardPlans).Premium, {
    registry: { read: 20_000, write: 4000, delete: 4000, referrers: 2000, token: 20_000 },
    identity: { read: 10_000, write: 2000, delete: 2000, referrers: 1000 },
  });
});

test('features are where ACR has them', () => {
  const everywhere: readonly Feature[] = ['abacPermissions', 'artifactCache', 'softDelete', 'zoneRedundancy'];
  for (const feature of everywhere)
    assert.ok(
      planNames.every((plan) => hasFeature(plan, feature)),
      feature,
    );
  assert.deepEqual(
    planNames.map((plan) => hasFeature(plan, 'anonymousPull')),
    [false, true, true],
  );
  const premium: readonly Feature[] = [
    'agentPools',
    'artifactStreaming',
    'connectedRegistry',
    'contentTrust',
    'customerManagedKey',
    'dataEndpoints',
    'dualStack',
    'exportPolicy',
    'geoReplication',
    'ipRules',
    'privateLink',
    'publicAccessOff',
    'regionalEndpoints',
    'retention',
    'transferPipelines',
  ];
  for (const feature of premium)
    assert.deepEqual(
      planNames.map((plan) => hasFeature(plan, feature)),
      [false, false, true],
      feature,
    );
});

test('a feature that a plan lacks is refused as ACR does, naming the plan that has it', () => {
  assert.equal(
    messageOf('FEATURE_NOT_SUPPORTED', () => requireFeature('Standard', 'geoReplication')),
    'Geo-replication is not supported for the SKU Standard; only Premium has it: change the plan of the registry first',
  );
  assert.equal(
    messageOf('FEATURE_NOT_SUPPORTED', () => requireFeature('Basic', 'anonymousPull')),
    'Anonymous pull is not supported for the SKU Basic; Standard and Premium have it: change the plan of the registry first',
  );
  assert.throws(() => requireFeature('Basic', 'retention', 'properties.policies.retentionPolicy'), {
    target: 'properties.policies.retentionPolicy',
    status: 400,
  });
  requireFeature('Premium', 'geoReplication');
});

test('what is one too many is refused naming the limit, what there is, and the way out', () => {
  const message = (plan: 'Basic' | 'Standard' | 'Premium', demand: Demand): string =>
    messageOf('QUOTA_EXCEEDED', () => requireRoomFor(standardPlans, plan, demand));
  assert.equal(message('Basic', { kind: 'webhooks', current: 1 }), 'nothing thrown');
  assert.equal(
    message('Basic', { kind: 'webhooks', current: 2 }),
    'the plan Basic of the registry allows 2 webhooks, and there are 2; use fewer, or change to the plan Standard',
  );
  assert.equal(
    message('Standard', { kind: 'webhooks', current: 10 }),
    'the plan Standard of the registry allows 10 webhooks, and there are 10; use fewer, or change to the plan Premium',
  );
  assert.equal(
    message('Premium', { kind: 'actionsPerScopeMap', current: 0, more: 501 }),
    'the plan Premium of the registry allows 500 actions in one scope map, not 501; no plan allows more: use fewer',
  );
  assert.equal(
    message('Basic', { kind: 'privateEndpoints', current: 0 }),
    'the plan Basic of the registry does not allow a private endpoint; use fewer, or change to the plan Premium',
  );
  assert.equal(message('Premium', { kind: 'replications', current: 1_000_000 }), 'nothing thrown');
  // What is over the limit since the plan changed may stay as it is, and shrink.
  assert.equal(message('Basic', { kind: 'webhooks', current: 10, more: 0 }), 'nothing thrown');
  assert.equal(message('Basic', { kind: 'webhooks', current: 10, more: -1 }), 'nothing thrown');
});

test('planLimits changes the limits that it names, and no others', () => {
  const plans = parsePlanLimits('{"Basic":{"webhooks":5,"identityReadsPerMinute":-1},"Premium":{"tokens":0}}');
  assert.deepEqual(plans.Basic, { ...standardPlans.Basic, webhooks: 5, identityReadsPerMinute: Number.POSITIVE_INFINITY });
  assert.deepEqual(plans.Standard, standardPlans.Standard);
  assert.deepEqual(plans.Premium, { ...standardPlans.Premium, tokens: 0 });
  assert.equal(parsePlanLimits(''), standardPlans);
  for (const name of limitNames) assert.equal(parsePlanLimits(`{"Standard":{"${name}":7}}`).Standard[name], 7);
});

test('attack 44: planLimits that cannot be meant is refused by the name of its key', () => {
  for (const [text, pattern] of [
    ['{', /planLimits is not JSON/],
    ['[]', /planLimits must be a JSON object/],
    ['{"Basic":5}', /planLimits\.Basic must be a JSON object/],
    ['{"Gold":{}}', /"Gold", which is no plan/],
    ['{"__proto__":{"webhooks":5}}', /"__proto__", which is no plan/],
    ['{"Basic":{"webhoks":5}}', /planLimits\.Basic names "webhoks", which is no limit/],
    ['{"Basic":{"__proto__":5}}', /"__proto__", which is no limit/],
    ['{"Basic":{"constructor":5}}', /"constructor", which is no limit/],
    ['{"Basic":{"webhooks":"5"}}', /planLimits\.Basic\.webhooks must be a whole number from 0/],
    ['{"Basic":{"webhooks":1.5}}', /must be a whole number/],
    ['{"Basic":{"webhooks":-2}}', /must be a whole number/],
    ['{"Basic":{"webhooks":1e300}}', /must be a whole number/],
    ['{"Basic":{"identityReadsPerMinute":0}}', /must be a whole number from 1/],
  ] as const)
    assert.throws(
      () => parsePlanLimits(text),
      (error) => error instanceof Refusal && pattern.test(error.message),
      text,
    );
});
