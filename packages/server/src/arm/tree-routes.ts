import { arm } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Reply, Route } from '../http/route.ts';
import { defaultResourceGroup } from '../registries/index.ts';
import { invalid } from '../resources/index.ts';
import type { ArmContext } from './arm-context.ts';
import { type ManagedRequest, managed, requireGroup, readDocument, readTags } from './managed-routes.ts';
import { type ResourceGroup, allGroups, findGroup } from './queries.ts';
import { deleteGroup, putGroup } from './transactions.ts';

const groupNamePattern = /^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$/;

/** The tree above registries: one tenant, one subscription, resource groups. */
export function treeRoutes(context: ArmContext): readonly Route[] {
  return [
    managed(context, arm.listTenants, async () => list([tenantDocument(context)])),
    managed(context, arm.listSubscriptions, async () => list([subscriptionDocument(context)])),
    managed(context, arm.getSubscription, async () => ({ status: 200, body: { json: subscriptionDocument(context) } })),
    managed(context, arm.listLocations, async () => list([locationDocument(context)])),
    managed(context, arm.listResourceGroups, () => listGroups(context)),
    managed(context, arm.getResourceGroup, (request) => showGroup(context, request)),
    managed(context, arm.putResourceGroup, (request) => writeGroup(context, request)),
    managed(context, arm.deleteResourceGroup, (request) => removeGroup(context, request)),
  ];
}

function list(value: readonly unknown[]): Reply {
  return { status: 200, body: { json: { value } } };
}

function tenantDocument({ registries: { ids } }: ArmContext): object {
  return {
    id: `/tenants/${ids.tenantId}`,
    tenantId: ids.tenantId,
    displayName: 'Berth',
    tenantCategory: 'Home',
    defaultDomain: 'berth',
    domains: ['berth'],
  };
}

function subscriptionDocument({ registries: { ids } }: ArmContext): object {
  return {
    id: `/subscriptions/${ids.subscriptionId}`,
    subscriptionId: ids.subscriptionId,
    tenantId: ids.tenantId,
    homeTenantId: ids.tenantId,
    displayName: 'Berth',
    state: 'Enabled',
    authorizationSource: 'RoleBased',
    managedByTenants: [],
    subscriptionPolicies: { locationPlacementId: 'Public_2014-09-01', quotaId: 'Berth', spendingLimit: 'Off' },
  };
}

function locationDocument({ registries: { ids }, region }: ArmContext): object {
  return { id: `/subscriptions/${ids.subscriptionId}/locations/${region}`, name: region, displayName: region, type: 'Region' };
}

async function listGroups(context: ArmContext): Promise<Reply> {
  const groups = await allGroups(context.database.read);
  return list(groups.map((group) => groupDocument(context, group)));
}

async function showGroup(context: ArmContext, { params }: ManagedRequest): Promise<Reply> {
  const name = params['resourceGroupName'] ?? '';
  const group = await findGroup(context.database.read, name);
  if (group === undefined) {
    await requireGroup(context, name);
    throw new Error('a group cannot be there and not be there');
  }
  return { status: 200, body: { json: groupDocument(context, group) } };
}

async function writeGroup(context: ArmContext, { params, request }: ManagedRequest): Promise<Reply> {
  const name = params['resourceGroupName'] ?? '';
  if (!groupNamePattern.test(name))
    throw invalid('resourceGroupName', 'must have 1 to 90 letters, digits, "_", "-", "." and parentheses, and not end in "."');
  const body = await readDocument(request, arm.putResourceGroup.body);
  const location = body.requiredText('location', 90);
  const tags = readTags(body) ?? {};
  const isNew = await context.database.write(putGroup, { name, location, tags: JSON.stringify(tags), now: context.clock.now() });
  const group = await findGroup(context.database.read, name);
  return { status: isNew ? 201 : 200, body: { json: groupDocument(context, group ?? { name, location, tags }) } };
}

async function removeGroup(context: ArmContext, { params }: ManagedRequest): Promise<Reply> {
  const name = params['resourceGroupName'] ?? '';
  const inUse = 'the resource group holds registries; delete them first';
  if (name.toLowerCase() === defaultResourceGroup) throw new RegistryError('CONFLICT', { message: inUse });
  const outcome = await context.database.write(deleteGroup, name);
  if (outcome === 'in-use') throw new RegistryError('CONFLICT', { message: inUse });
  return { status: outcome === 'deleted' ? 200 : 204 };
}

function groupDocument({ registries: { ids } }: ArmContext, { name, location, tags }: ResourceGroup): object {
  return {
    id: `/subscriptions/${ids.subscriptionId}/resourceGroups/${name}`,
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location,
    tags,
    properties: { provisioningState: 'Succeeded' },
  };
}
