import { RegistryError } from '../errors/index.ts';
import type { Plan } from '../tenancy/index.ts';
import type { RegistryRecord } from './model.ts';
import { type Feature, type Plans, hasFeature, requireFeature } from './plans.ts';

/** What a registry has beside its own properties; what is left out counts as none. */
export interface RegistryUsage {
  readonly storedBytes?: number;
  readonly webhooks?: number;
  readonly tokens?: number;
  readonly scopeMaps?: number;
  readonly cacheRules?: number;
  readonly replications?: number;
  readonly privateEndpoints?: number;
  readonly connectedRegistries?: number;
  readonly agentPools?: number;
  readonly transferPipelines?: number;
  /** Repositories with artifact streaming. */
  readonly streamedRepositories?: number;
  readonly hasCustomerManagedKey?: boolean;
}

/** As much of a registry as its plan is about. */
export type PlannedRegistry = Pick<RegistryRecord, 'plan' | 'isAnonymousPullEnabled' | 'properties'>;

interface FeatureUse {
  readonly feature: Feature;
  /** How much of it is in use: true where it is not counted. */
  readonly used: (registry: PlannedRegistry, usage: RegistryUsage) => boolean | number;
  readonly what: string;
  readonly remedy: string;
  /** The property that turns it on, where it is one. */
  readonly target?: string;
}

/** Everything that some plan lacks, with how to tell and how to give it up. */
const uses: readonly FeatureUse[] = [
  { feature: 'geoReplication', used: (_, usage) => usage.replications ?? 0, what: 'replications', remedy: 'delete them' },
  {
    feature: 'privateLink',
    used: (_, usage) => usage.privateEndpoints ?? 0,
    what: 'private endpoint connections',
    remedy: 'delete them',
  },
  {
    feature: 'connectedRegistry',
    used: (_, usage) => usage.connectedRegistries ?? 0,
    what: 'connected registries',
    remedy: 'delete them',
  },
  { feature: 'agentPools', used: (_, usage) => usage.agentPools ?? 0, what: 'agent pools', remedy: 'delete them' },
  {
    feature: 'transferPipelines',
    used: (_, usage) => usage.transferPipelines ?? 0,
    what: 'export and import pipelines',
    remedy: 'delete them',
  },
  {
    feature: 'artifactStreaming',
    used: (_, usage) => usage.streamedRepositories ?? 0,
    what: 'repositories with artifact streaming',
    remedy: 'disable it for them',
  },
  {
    feature: 'customerManagedKey',
    used: (_, usage) => usage.hasCustomerManagedKey ?? false,
    what: 'a customer-managed key',
    remedy: 'disable the encryption with it',
    target: 'properties.encryption',
  },
  {
    feature: 'ipRules',
    used: ({ properties: { networkRuleSet } }) =>
      networkRuleSet?.defaultAction === 'Deny' || (networkRuleSet?.ipRules?.length ?? 0) > 0,
    what: 'network rules',
    remedy: 'remove them and set the default action to Allow',
    target: 'properties.networkRuleSet',
  },
  {
    feature: 'publicAccessOff',
    used: ({ properties }) => properties.publicNetworkAccess === 'Disabled',
    what: 'disabled public network access',
    remedy: 'enable it',
    target: 'properties.publicNetworkAccess',
  },
  {
    feature: 'dataEndpoints',
    used: ({ properties }) => properties.dataEndpointEnabled === true,
    what: 'dedicated data endpoints',
    remedy: 'disable them',
    target: 'properties.dataEndpointEnabled',
  },
  {
    feature: 'regionalEndpoints',
    used: ({ properties }) => properties.regionalEndpoints === 'Enabled',
    what: 'regional endpoints',
    remedy: 'disable them',
    target: 'properties.regionalEndpoints',
  },
  {
    feature: 'dualStack',
    used: ({ properties }) => properties.endpointProtocol === 'IPv4AndIPv6',
    what: 'the endpoint protocol IPv4AndIPv6',
    remedy: 'set it to IPv4',
    target: 'properties.endpointProtocol',
  },
  {
    feature: 'retention',
    used: ({ properties }) => properties.policies?.retentionPolicy?.status === 'enabled',
    what: 'the retention policy',
    remedy: 'disable it',
    target: 'properties.policies.retentionPolicy',
  },
  {
    feature: 'contentTrust',
    used: ({ properties }) => properties.policies?.trustPolicy?.status === 'enabled',
    what: 'content trust',
    remedy: 'disable it',
    target: 'properties.policies.trustPolicy',
  },
  {
    feature: 'exportPolicy',
    used: ({ properties }) => properties.policies?.exportPolicy?.status === 'disabled',
    what: 'disabled exports',
    remedy: 'enable the export policy',
    target: 'properties.policies.exportPolicy',
  },
  {
    feature: 'anonymousPull',
    used: ({ isAnonymousPullEnabled }) => isAnonymousPullEnabled,
    what: 'anonymous pull',
    remedy: 'disable it',
    target: 'properties.anonymousPullEnabled',
  },
];

/** What the properties ask for must be in the plan that stands beside them. @throws FEATURE_NOT_SUPPORTED */
export function requireFeaturesOfPlan(registry: PlannedRegistry): void {
  for (const { feature, used, target } of uses) {
    if (target !== undefined && Number(used(registry, {})) > 0) requireFeature(registry.plan, feature, target);
  }
}

/** What only Premium has and the registry uses, each with its remedy. */
export function premiumFeaturesInUse(registry: PlannedRegistry, usage: RegistryUsage): readonly string[] {
  return featuresBeyond('Standard', registry, usage);
}

/**
 * A registry changes its plan in place, down too, as soon as it uses nothing that the new plan lacks.
 * `registry`: as it would be afterwards, apart from its plan: a request may turn a feature off and leave its plan at once.
 * @throws CONFLICT naming everything that stands in the way
 */
export function requirePlanChange(plans: Plans, registry: PlannedRegistry, usage: RegistryUsage, to: Plan): void {
  const obstacles = [...featuresBeyond(to, registry, usage), ...excesses(plans, usage, to)];
  if (to === registry.plan || obstacles.length === 0) return;
  throw new RegistryError('CONFLICT', {
    message: `the registry cannot change from the plan ${registry.plan} to ${to} while it uses what ${to} does not allow: ${obstacles.join('; ')}`,
    target: 'sku.name',
  });
}

function featuresBeyond(plan: Plan, registry: PlannedRegistry, usage: RegistryUsage): readonly string[] {
  return uses.flatMap(({ feature, used, what, remedy }) => {
    const amount = hasFeature(plan, feature) ? 0 : used(registry, usage);
    if (amount === true) return [`${what} (${remedy})`];
    return amount === false || amount === 0 ? [] : [`${amount} ${what} (${remedy})`];
  });
}

/** What the new plan has, but fewer of. */
function excesses(plans: Plans, usage: RegistryUsage, to: Plan): readonly string[] {
  const kinds = { webhooks: 'webhooks', tokens: 'tokens', scopeMaps: 'scope maps', cacheRules: 'cache rules' } as const;
  const counted = (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) => {
    const [current, limit] = [usage[kind] ?? 0, plans[to][kind]];
    return current <= limit ? [] : [`${current} ${kinds[kind]} (${to} allows ${limit}: delete ${current - limit})`];
  });
  const [stored, room] = [usage.storedBytes ?? 0, plans[to].storageBytes];
  return stored <= room ? counted : [...counted, `${stored} stored bytes (${to} allows ${room}: delete images)`];
}
