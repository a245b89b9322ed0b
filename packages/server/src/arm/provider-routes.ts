import { type Operation, arm } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Reply, Route } from '../http/route.ts';
import { allRegistries, registryProvider, registryResourceId } from '../registries/index.ts';
import type { ArmContext } from './arm-context.ts';
import { type ManagedRequest, managed, requireGroup } from './managed-routes.ts';

const namespace = 'Microsoft.ContainerRegistry';
const versions = ['2025-11-01', '2025-04-01', '2023-07-01', '2022-12-01', '2021-09-01', '2019-05-01', '2017-10-01'];

/** The provider, the actions that it knows, and resources of every type (acr-api 3.2, 7.3). */
export function providerRoutes(context: ArmContext): readonly Route[] {
  return [
    managed(context, arm.listProviders, async () => ok({ value: [providerDocument(context)] })),
    managed(context, arm.getProvider, (request) => showProvider(context, request)),
    managed(context, arm.registerProvider, (request) => showProvider(context, request)),
    managed(context, arm.listOperations, async () => ok({ value: actions })),
    managed(context, arm.listResources, (request) => listResources(context, request)),
    managed(context, arm.listGroupResources, (request) => listResources(context, request)),
  ];
}

function ok(json: unknown): Reply {
  return { status: 200, body: { json } };
}

async function showProvider(context: ArmContext, { params }: ManagedRequest): Promise<Reply> {
  const name = params['provider'] ?? '';
  if (name.toLowerCase() === namespace.toLowerCase()) return ok(providerDocument(context));
  throw new RegistryError('RESOURCE_NOT_FOUND', { message: `there is no resource provider '${name.slice(0, 64)}' here` });
}

function providerDocument({ registries: { ids }, region, kinds }: ArmContext): object {
  const types = ['registries', ...kinds.map(({ collection }) => `registries/${collection}`)];
  return {
    id: `/subscriptions/${ids.subscriptionId}/providers/${namespace}`,
    namespace,
    registrationState: 'Registered',
    registrationPolicy: 'RegistrationRequired',
    resourceTypes: types.map((resourceType) => ({
      resourceType,
      locations: [region],
      apiVersions: versions,
      capabilities: 'None',
    })),
  };
}

/** Every action once, as clients key them by name, with what all of its operations do. */
const actions: readonly object[] = [...Map.groupBy(arm.operations, actionOf)].flatMap(([action, operations]) => {
  if (action === undefined) return [];
  const [, resource = '', ...rest] = action.split('/');
  const description = operations.map(({ summary }) => summary).join(' ');
  return [
    {
      name: action,
      isDataAction: false,
      origin: 'user,system',
      display: { provider: namespace, resource, operation: rest.join('/'), description },
    },
  ];
});

/** The action of the provider that an operation needs, if it needs one. */
function actionOf({ permission }: Operation): string | undefined {
  return permission.kind === 'resource' && permission.action.startsWith(namespace) ? permission.action : undefined;
}

/** The one filter that clients send: `resourceType eq '…'`, perhaps with `name eq '…'`. */
const typeFilter = /resourceType eq '([^']*)'/i;
const nameFilter = /(?:^|\s)name eq '([^']*)'/i;

async function listResources(context: ArmContext, { request, params }: ManagedRequest): Promise<Reply> {
  const filter = request.query.get('$filter') ?? '';
  const [type, name] = [typeFilter.exec(filter)?.[1], nameFilter.exec(filter)?.[1]?.toLowerCase()];
  const group = params['resourceGroupName']?.toLowerCase();
  if (group !== undefined) await requireGroup(context, group);
  const isWanted = type === undefined || type.toLowerCase() === registryProvider.toLowerCase();
  const records = isWanted ? await allRegistries(context.database.read) : [];
  const value = records
    .filter((record) => group === undefined || record.resourceGroup.toLowerCase() === group)
    .filter((record) => name === undefined || record.name === name)
    .map((record) => ({
      id: registryResourceId(context.registries.ids.subscriptionId, record),
      name: record.name,
      type: registryProvider,
      location: record.location,
      tags: record.tags,
      sku: { name: record.plan, tier: record.plan },
    }));
  return ok({ value });
}
