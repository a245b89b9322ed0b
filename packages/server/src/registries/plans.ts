import { RegistryError } from '../errors/index.ts';
import type { Plan } from '../tenancy/index.ts';

/** From the smallest to the largest. */
export const planNames = ['Basic', 'Standard', 'Premium'] as const satisfies readonly Plan[];

const gib = 2 ** 30;
const tib = 2 ** 40;
const mib = 2 ** 20;

/** What ACR's tiers allow (acr-api 4.1 and 4.2), in the order of `planNames`. Infinity: no limit. */
const limitRows = {
  includedStorageBytes: [10 * gib, 100 * gib, 500 * gib],
  storageBytes: [40 * tib, 40 * tib, 100 * tib],
  layerBytes: [200 * gib, 200 * gib, 200 * gib],
  manifestBytes: [4 * mib, 4 * mib, 4 * mib],
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
  registryReadsPerMinute: [10_000, 10_000, 20_000],
  registryWritesPerMinute: [2000, 2000, 4000],
  registryDeletesPerMinute: [1000, 1000, 4000],
  registryReferrersPerMinute: [500, 500, 2000],
  registryTokensPerMinute: [10_000, 10_000, 20_000],
  identityReadsPerMinute: [5000, 5000, 10_000],
  identityWritesPerMinute: [1000, 1000, 2000],
  identityDeletesPerMinute: [500, 500, 2000],
  identityReferrersPerMinute: [250, 250, 1000],
} as const satisfies Record<string, readonly [number, number, number]>;

export type LimitName = keyof typeof limitRows;
export type PlanLimits = Readonly<Record<LimitName, number>>;
export type Plans = Readonly<Record<Plan, PlanLimits>>;

/** Names of limits, as the setting `planLimits` spells them. */
export const limitNames = Object.keys(limitRows) as readonly LimitName[];

/** The plans as ACR has them. */
export const standardPlans: Plans = { Basic: column(0), Standard: column(1), Premium: column(2) };

function column(index: 0 | 1 | 2): PlanLimits {
  const entries = Object.entries(limitRows).map(([name, row]) => [name, row[index]] as const);
  // The keys are those of the rows.
  return Object.fromEntries(entries) as unknown as PlanLimits;
}

interface FeatureRow {
  /** Begins the sentence "… is not supported for the SKU Basic". */
  readonly title: string;
  /** The smallest plan that has it. */
  readonly from: Plan;
}

/** What a plan has or has not (acr-api 4.1). */
const features = {
  abacPermissions: { title: 'Role assignment by repository', from: 'Basic' },
  agentPools: { title: 'An agent pool', from: 'Premium' },
  anonymousPull: { title: 'Anonymous pull', from: 'Standard' },
  // ACR's documents disagree about Basic; its article on the feature gives it to every tier.
  artifactCache: { title: 'Artifact cache', from: 'Basic' },
  artifactStreaming: { title: 'Artifact streaming', from: 'Premium' },
  connectedRegistry: { title: 'A connected registry', from: 'Premium' },
  contentTrust: { title: 'Content trust', from: 'Premium' },
  customerManagedKey: { title: 'A customer-managed key', from: 'Premium' },
  dataEndpoints: { title: 'A dedicated data endpoint', from: 'Premium' },
  dualStack: { title: 'The endpoint protocol IPv4AndIPv6', from: 'Premium' },
  exportPolicy: { title: 'Disabling exports', from: 'Premium' },
  geoReplication: { title: 'Geo-replication', from: 'Premium' },
  ipRules: { title: 'A network rule', from: 'Premium' },
  privateLink: { title: 'A private endpoint', from: 'Premium' },
  publicAccessOff: { title: 'Disabling public network access', from: 'Premium' },
  regionalEndpoints: { title: 'A regional endpoint', from: 'Premium' },
  retention: { title: 'The retention policy', from: 'Premium' },
  softDelete: { title: 'The soft-delete policy', from: 'Basic' },
  transferPipelines: { title: 'A transfer pipeline', from: 'Premium' },
  zoneRedundancy: { title: 'Zone redundancy', from: 'Basic' },
} as const satisfies Record<string, FeatureRow>;

export type Feature = keyof typeof features;

export function hasFeature(plan: Plan, feature: Feature): boolean {
  return planNames.indexOf(plan) >= planNames.indexOf(features[feature].from);
}

/** `target`: the property that asks for it. @throws FEATURE_NOT_SUPPORTED naming the plan that has it */
export function requireFeature(plan: Plan, feature: Feature, target?: string): void {
  if (hasFeature(plan, feature)) return;
  const { title, from } = features[feature];
  throw new RegistryError('FEATURE_NOT_SUPPORTED', {
    message: `${title} is not supported for the SKU ${plan}; ${plansFrom(from)}: change the plan of the registry first`,
    ...(target !== undefined && { target }),
  });
}

function plansFrom(plan: Plan): string {
  const having = planNames.slice(planNames.indexOf(plan));
  return having.length === 1 ? `only ${plan} has it` : `${having.join(' and ')} have it`;
}

/** Limits on how many of something there may be, with the words for it. */
const countables = {
  webhooks: ['a webhook', 'webhooks'],
  privateEndpoints: ['a private endpoint', 'private endpoints'],
  ipRules: ['an IP rule', 'IP rules'],
  virtualNetworkRules: ['a virtual network rule', 'virtual network rules'],
  tokens: ['a token', 'tokens'],
  scopeMaps: ['a scope map', 'scope maps'],
  actionsPerScopeMap: ['an action in a scope map', 'actions in one scope map'],
  repositoriesPerScopeMap: ['a repository in a scope map', 'repositories in one scope map'],
  cacheRules: ['a cache rule', 'cache rules'],
  replications: ['a replication', 'replications'],
} as const satisfies Partial<Record<LimitName, readonly [string, string]>>;

export type Countable = keyof typeof countables;

export function isCountable(kind: string): kind is Countable {
  return Object.hasOwn(countables, kind);
}

export interface Demand {
  readonly kind: Countable;
  /** How many there are. Count and insert in one transaction, or two of them pass together. */
  readonly current: number;
  /** How many come; 1 unless said. */
  readonly more?: number;
  readonly target?: string;
}

/** @throws QUOTA_EXCEEDED naming the limit, what there is, and the plan that allows more */
export function requireRoomFor(plans: Plans, plan: Plan, { kind, current, more = 1, target }: Demand): void {
  const limit = plans[plan][kind];
  if (more <= 0 || current + more <= limit) return;
  const [one, many] = countables[kind];
  const allowed = limit === 0 ? `does not allow ${one}` : `allows ${limit} ${many}`;
  const asked = current === 0 ? (limit === 0 ? '' : `, not ${more}`) : `, and there are ${current}`;
  throw new RegistryError('QUOTA_EXCEEDED', {
    message: `the plan ${plan} of the registry ${allowed}${asked}; ${wayOut(plans, kind, current + more)}`,
    ...(target !== undefined && { target }),
  });
}

function wayOut(plans: Plans, kind: Countable, wanted: number): string {
  const larger = planNames.find((plan) => plans[plan][kind] >= wanted);
  return larger === undefined ? 'no plan allows more: use fewer' : `use fewer, or change to the plan ${larger}`;
}

/** Limits on calls, as the rate limiter takes them: per minute. */
export interface PlanCallRates {
  readonly registry: Readonly<Record<'read' | 'write' | 'delete' | 'referrers' | 'token', number>>;
  readonly identity: Readonly<Record<'read' | 'write' | 'delete' | 'referrers', number>>;
}

export function callRatesOf(plans: Plans): Readonly<Record<Plan, PlanCallRates>> {
  return { Basic: ratesOf(plans.Basic), Standard: ratesOf(plans.Standard), Premium: ratesOf(plans.Premium) };
}

function ratesOf(limits: PlanLimits): PlanCallRates {
  return {
    registry: {
      read: limits.registryReadsPerMinute,
      write: limits.registryWritesPerMinute,
      delete: limits.registryDeletesPerMinute,
      referrers: limits.registryReferrersPerMinute,
      token: limits.registryTokensPerMinute,
    },
    identity: {
      read: limits.identityReadsPerMinute,
      write: limits.identityWritesPerMinute,
      delete: limits.identityDeletesPerMinute,
      referrers: limits.identityReferrersPerMinute,
    },
  };
}
