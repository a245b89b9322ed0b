import { arm } from '@berth/api';
import type { RoleAssignment, RoleDefinition } from '../access/index.ts';
import type { Reply, Route } from '../http/route.ts';
import { findRegistry } from '../registries/index.ts';
import { invalid } from '../resources/index.ts';
import type { ArmContext } from './arm-context.ts';
import { type ManagedRequest, managed, readDocument, resourceNotFound } from './managed-routes.ts';

const authorization = 'Microsoft.Authorization';

/** `Microsoft.Authorization/roleAssignments`, at the subscription, at groups and at registries (acr-api 2.7). */
export function roleRoutes(context: ArmContext): readonly Route[] {
  return Object.values(arm.roles).flatMap((operations) => [
    managed(context, operations.list, (request) => listAssignments(context, request)),
    managed(context, operations.get, (request) => showAssignment(context, request)),
    managed(context, operations.put, (request) => assign(context, request)),
    managed(context, operations.delete, (request) => remove(context, request)),
    managed(context, operations.definitions, async (request) => listDefinitions(context, request)),
  ]);
}

/** Roles at a replica are those of its home region. @throws HOME_REGION_ONLY */
async function requireHome(context: ArmContext, { params }: ManagedRequest): Promise<void> {
  const name = params['registryName'];
  const record = name === undefined ? undefined : await findRegistry(context.database.read, name);
  if (record !== undefined) context.requireHome(record);
}

/** The scope that the path of a request names. */
function scopeOf({ registries: { ids } }: ArmContext, { params }: ManagedRequest): string {
  const { resourceGroupName: group, registryName: registry } = params;
  const parts = [`/subscriptions/${ids.subscriptionId}`];
  if (group !== undefined) parts.push(`/resourceGroups/${group}`);
  if (registry !== undefined) parts.push(`/providers/Microsoft.ContainerRegistry/registries/${registry}`);
  return parts.join('');
}

async function listAssignments(context: ArmContext, managedRequest: ManagedRequest): Promise<Reply> {
  const filter = managedRequest.request.query.get('$filter') ?? '';
  const principal = /(?:principalId eq|assignedTo\()\s*'([^']*)'/i.exec(filter)?.[1]?.toLowerCase();
  const scope = scopeOf(context, managedRequest);
  const found = await context.directory.assignmentsReaching({ scope, isHereOnly: /atScope\(\)/i.test(filter) });
  const value = found
    .filter((each) => principal === undefined || each.identity_id === principal)
    .map((each) => assignmentDocument(context, each));
  return { status: 200, body: { json: { value } } };
}

async function showAssignment(context: ArmContext, managedRequest: ManagedRequest): Promise<Reply> {
  const found = await findAssignment(context, managedRequest);
  if (found === undefined) throw resourceNotFound(`/providers/${authorization}/roleAssignments/${nameOf(managedRequest)}`, '');
  return { status: 200, body: { json: assignmentDocument(context, found) } };
}

async function assign(context: ArmContext, managedRequest: ManagedRequest): Promise<Reply> {
  await requireHome(context, managedRequest);
  const body = await readDocument(managedRequest.request, arm.roles.registry.put.body as never);
  const properties = body.object('properties');
  const role = properties.requiredText('roleDefinitionId').split('/').at(-1) ?? '';
  const condition = properties.text('condition', 8192);
  await context.directory.assignRole({
    identity: properties.requiredText('principalId', 64),
    id: nameOf(managedRequest),
    wanted: { role, scope: scopeOf(context, managedRequest), ...(condition !== undefined && { condition }) },
  });
  const made = await findAssignment(context, managedRequest);
  if (made === undefined) throw invalid('properties', 'were taken away again by another request');
  return { status: 201, body: { json: assignmentDocument(context, made) } };
}

async function remove(context: ArmContext, managedRequest: ManagedRequest): Promise<Reply> {
  const found = await findAssignment(context, managedRequest);
  if (found === undefined) return { status: 204 };
  await requireHome(context, managedRequest);
  await context.directory.removeRole(found.identity_id, found.id);
  return { status: 200, body: { json: assignmentDocument(context, found) } };
}

function findAssignment(context: ArmContext, managedRequest: ManagedRequest): Promise<RoleAssignment | undefined> {
  return context.directory.findAssignmentAt({ id: nameOf(managedRequest), scope: scopeOf(context, managedRequest) });
}

function nameOf({ params }: ManagedRequest): string {
  return params['assignmentName'] ?? '';
}

function assignmentDocument(
  context: ArmContext,
  { id, scope, role_id, identity_id, condition, created_at }: RoleAssignment,
): object {
  const createdOn = new Date(created_at).toISOString();
  return {
    id: `${scope}/providers/${authorization}/roleAssignments/${id}`,
    name: id,
    type: `${authorization}/roleAssignments`,
    properties: {
      roleDefinitionId: definitionId(context, role_id),
      principalId: identity_id,
      principalType: 'ServicePrincipal',
      scope,
      condition,
      conditionVersion: condition === null ? null : '2.0',
      createdOn,
      updatedOn: createdOn,
    },
  };
}

function listDefinitions(context: ArmContext, { request }: ManagedRequest): Reply {
  const wanted = /roleName eq '([^']*)'/i.exec(request.query.get('$filter') ?? '')?.[1]?.toLowerCase();
  const value = context.directory.roles
    .filter(({ name }) => wanted === undefined || name.toLowerCase() === wanted)
    .map((role) => definitionDocument(context, role));
  return { status: 200, body: { json: { value } } };
}

function definitionDocument(context: ArmContext, { id, name, description, ...actions }: RoleDefinition): object {
  return {
    id: definitionId(context, id),
    name: id,
    type: `${authorization}/roleDefinitions`,
    properties: { roleName: name, type: 'BuiltInRole', description, assignableScopes: ['/'], permissions: [actions] },
  };
}

function definitionId({ registries: { ids } }: ArmContext, roleId: string): string {
  return `/subscriptions/${ids.subscriptionId}/providers/${authorization}/roleDefinitions/${roleId}`;
}
