import { arm } from '@berth/api';
import type { Reply, Route } from '../http/route.ts';
import { countChildren } from '../resources/index.ts';
import type { ArmContext } from './arm-context.ts';
import type { Registry } from '../tenancy/index.ts';
import { type RegistryRequest, managedRegistry, resourceNotFound } from './managed-routes.ts';

/** What a registry uses of what its plan allows (acr-api 3.3), and what a private endpoint could reach. */
export function usageRoutes(context: ArmContext): readonly Route[] {
  return [
    managedRegistry(context, arm.listUsages, (request) => listUsages(context, request)),
    managedRegistry(context, arm.listPrivateLinkResources, async ({ registry }) =>
      ok({ value: [linkResource(context, registry)] }),
    ),
    managedRegistry(context, arm.getPrivateLinkResource, async (request) => showLinkResource(context, request)),
  ];
}

async function listUsages(context: ArmContext, { registry }: RegistryRequest): Promise<Reply> {
  const { sizeBytes, limitBytes } = await context.usageOf(registry);
  const counts = await countChildren(context.database.read, registry.id);
  const count = (name: string, currentValue: number, limit: number) => ({
    name,
    limit: Number.isFinite(limit) ? limit : -1,
    currentValue,
    unit: 'Count',
  });
  const limits = context.registries.plans[registry.plan];
  const value = [
    { name: 'Size', limit: limitBytes, currentValue: sizeBytes, unit: 'Bytes' },
    count('Webhooks', counts.get('webhooks') ?? 0, limits.webhooks),
    count('Geo-replications', counts.get('replications') ?? 0, limits.replications),
    count('IPRules', registry.network.allowed.length, limits.ipRules),
    count('VNetRules', 0, limits.virtualNetworkRules),
    count('PrivateEndpointConnections', 0, limits.privateEndpoints),
    count('ScopeMaps', counts.get('scopeMaps') ?? 0, limits.scopeMaps),
    count('Tokens', counts.get('tokens') ?? 0, limits.tokens),
  ];
  return { status: 200, body: { json: { value } } };
}

function ok(json: unknown): Reply {
  return { status: 200, body: { json } };
}

/** @throws RESOURCE_NOT_FOUND */
function showLinkResource(context: ArmContext, { params, record, registry }: RegistryRequest): Reply {
  const group = params['groupName'] ?? '';
  if (group.toLowerCase() !== 'registry')
    throw resourceNotFound(`${registry.resourceId}/privateLinkResources/${group}`, record.resourceGroup);
  return ok(linkResource(context, registry));
}

function linkResource({ region }: ArmContext, { resourceId }: Registry): object {
  return {
    id: `${resourceId}/privateLinkResources/registry`,
    name: 'registry',
    type: 'Microsoft.ContainerRegistry/registries/privateLinkResources',
    properties: { groupId: 'registry', requiredMembers: ['registry', `registry_data_${region}`], requiredZoneNames: [] },
  };
}
