import type { Operation } from '@berth/api';
import type { TSchema } from 'typebox';
import { RegistryError } from '../errors/index.ts';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import { type RegistryRecord, findRegistry, registryResourceId } from '../registries/index.ts';
import { Fields } from '../resources/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ArmContext } from './arm-context.ts';
import { findGroup } from './queries.ts';

/** Any that is spelled like one: newer clients find newer fields, older ones do not look at them (acr-api 0.3). */
const versionPattern = /^\d{4}-\d{2}-\d{2}(?:-[a-z]{1,20})?$/i;

/** A request to the resource manager whose path was looked up. */
export interface ManagedRequest {
  readonly request: RouteRequest;
  readonly params: Readonly<Record<string, string>>;
  /** Who calls, for `systemData`. */
  readonly caller: string;
}

/** An operation of the resource manager: its version, its subscription and its group are looked at here. */
export function managed(context: ArmContext, operation: Operation, handle: (request: ManagedRequest) => Promise<Reply>): Route {
  return {
    operation,
    handle: async (request) => {
      requireVersion(request);
      const { params } = request;
      requireSubscription(context, params['subscriptionId']);
      return handle({ request, params, caller: request.principal.name });
    },
  };
}

export interface RegistryRequest extends ManagedRequest {
  readonly record: RegistryRecord;
  /** The same, as the data plane sees it. */
  readonly registry: Registry;
}

/** The same, about a registry that exists. */
export function managedRegistry(
  context: ArmContext,
  operation: Operation,
  handle: (request: RegistryRequest) => Promise<Reply>,
): Route {
  return managed(context, operation, async (managedRequest) => {
    const { params } = managedRequest;
    const record = await requireRegistry(context, params['resourceGroupName'] ?? '', params['registryName'] ?? '');
    if (isOfSettings(operation)) context.requireHome(record);
    return handle({ ...managedRequest, record, registry: await registryNow(context, record) });
  });
}

/** What is asked by POST and writes settings all the same, or is about tasks. */
const writingPosts: ReadonlySet<string> = new Set([
  'arm-generate-credentials',
  'arm-regenerate-credential',
  'arm-schedule-run',
  'arm-list-build-source-upload-url',
]);

/** Whether an operation is one for the home region of a registry; what is only read, and imports of images, are for every region. */
function isOfSettings({ id, method }: Operation): boolean {
  return ['PUT', 'PATCH', 'DELETE'].includes(method) || writingPosts.has(id);
}

/** The registry as the data plane sees it; read again when another process made it just now. */
export async function registryNow({ registries }: ArmContext, { name }: RegistryRecord): Promise<Registry> {
  const known = registries.byName(name);
  if (known !== undefined) return known;
  await registries.refresh();
  const found = registries.byName(name);
  if (found === undefined)
    throw new RegistryError('RESOURCE_NOT_FOUND', { message: `the registry ${name} was deleted just now` });
  return found;
}

async function requireRegistry(context: ArmContext, group: string, name: string): Promise<RegistryRecord> {
  const record = await findRegistry(context.database.read, name);
  if (record !== undefined && record.resourceGroup.toLowerCase() === group.toLowerCase()) return record;
  await requireGroup(context, group);
  throw resourceNotFound(registryResourceId(context.registries.ids.subscriptionId, { name, resourceGroup: group }), group);
}

/** @throws RESOURCE_GROUP_NOT_FOUND */
export async function requireGroup(context: ArmContext, name: string): Promise<void> {
  if ((await findGroup(context.database.read, name)) === undefined)
    throw new RegistryError('RESOURCE_GROUP_NOT_FOUND', { message: `resource group '${name}' could not be found` });
}

export function resourceNotFound(id: string, group: string): RegistryError {
  const resource = id.split('/providers/').at(-1) ?? id;
  return new RegistryError('RESOURCE_NOT_FOUND', {
    message: `the resource '${resource}' under resource group '${group}' was not found`,
  });
}

function requireVersion({ query }: RouteRequest): void {
  const version = query.get('api-version');
  if (version === null || version === '') throw new RegistryError('MISSING_API_VERSION');
  if (!versionPattern.test(version))
    throw new RegistryError('INVALID_PARAMETER', {
      message: `api-version must be a date such as 2025-11-01, not ${JSON.stringify(version.slice(0, 32))}`,
      target: 'api-version',
    });
}

function requireSubscription({ registries }: ArmContext, id: string | undefined): void {
  if (id === undefined || id.toLowerCase() === registries.ids.subscriptionId) return;
  throw new RegistryError('SUBSCRIPTION_NOT_FOUND', { message: `the subscription '${id.slice(0, 64)}' could not be found` });
}

/** The JSON body of a request, to be read member by member. @throws REQUEST_INVALID when it is no JSON object */
export async function readDocument(request: RouteRequest, schema: TSchema, maxBodyBytes?: number): Promise<Fields> {
  return new Fields(await readJson(request, schema, maxBodyBytes), '');
}

/** Resource tags by Azure's bounds. */
export function readTags(body: Fields): Readonly<Record<string, string>> | undefined {
  return body.textMap('tags', { maxEntries: 50, maxValue: 256 });
}
