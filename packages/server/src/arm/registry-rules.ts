import { RegistryError } from '../errors/index.ts';
import {
  type RegistryRecord,
  type RegistryUsage,
  requireFeaturesOfPlan,
  requirePlanChange,
  requireRoomFor,
} from '../registries/index.ts';
import { countChildren } from '../resources/index.ts';
import type { ArmContext } from './arm-context.ts';

type Wanted = Pick<RegistryRecord, 'plan' | 'isAnonymousPullEnabled' | 'properties'>;

/**
 * What of a registry goes together, and what its plan allows (acr-api 4).
 * @throws FEATURE_NOT_SUPPORTED, QUOTA_EXCEEDED, CONFLICT
 */
export async function requireValidRegistry(
  context: ArmContext,
  before: RegistryRecord | undefined,
  wanted: Wanted,
): Promise<void> {
  const { plans } = context.registries;
  if (before !== undefined && before.plan !== wanted.plan)
    requirePlanChange(plans, { ...wanted, plan: before.plan }, await usageOf(context, before), wanted.plan);
  requireFeaturesOfPlan(wanted);
  const { networkRuleSet, policies, publicNetworkAccess } = wanted.properties;
  requireRoomFor(plans, wanted.plan, {
    kind: 'ipRules',
    current: 0,
    more: networkRuleSet?.ipRules?.length ?? 0,
    target: 'properties.networkRuleSet.ipRules',
  });
  if (policies?.exportPolicy?.status === 'disabled' && publicNetworkAccess !== 'Disabled')
    throw new RegistryError('INVALID_PARAMETER', {
      message: 'exports can be disabled only where public network access is disabled, too: set publicNetworkAccess to Disabled',
      target: 'properties.policies.exportPolicy',
    });
}

async function usageOf(context: ArmContext, { id, name }: RegistryRecord): Promise<RegistryUsage> {
  const counts = await countChildren(context.database.read, id);
  const registry = context.registries.byName(name);
  return {
    webhooks: counts.get('webhooks') ?? 0,
    tokens: counts.get('tokens') ?? 0,
    scopeMaps: counts.get('scopeMaps') ?? 0,
    // The home region stands in the list, too, and is none that could be deleted.
    replications: Math.max(0, (counts.get('replications') ?? 0) - 1),
    ...(registry !== undefined && { storedBytes: (await context.usageOf(registry)).sizeBytes }),
  };
}
