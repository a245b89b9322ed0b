import { replication as operations } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import {
  type ChildKind,
  type ChildrenContext,
  Fields,
  type StoredChild,
  childrenAfter,
  patchChild,
  putChild,
  removeChild,
} from '../../resources/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { regionKey } from './queries.ts';

export interface ReplicaRoutesOptions {
  readonly kind: ChildKind;
  readonly children: ChildrenContext;
  /** @throws HOME_REGION_ONLY for a replica */
  readonly requireHome: (registry: Registry) => void;
}

const maxRegions = 100;

/** What the resource manager does with replications, for operators: by the names of regions. */
export function replicaRoutes(options: ReplicaRoutesOptions): readonly Route[] {
  return [
    { operation: operations.putReplica, handle: (request) => putReplica(options, request) },
    { operation: operations.deleteReplica, handle: (request) => deleteReplica(options, request) },
  ];
}

async function putReplica({ kind, children, requireHome }: ReplicaRoutesOptions, request: RouteRequest): Promise<Reply> {
  const { registry, principal, params } = request;
  requireHome(registry);
  const region = params['region'] ?? '';
  const { isEndpointEnabled } = await readJson(request, operations.putReplica.body);
  const known = await findReplication(children, registry, region);
  const regionEndpointEnabled = isEndpointEnabled ?? isRouted(known);
  const document = new Fields({ location: region, properties: { regionEndpointEnabled } }, '');
  const by = { registry, document, by: principal.name, requestedBy: principal.id, tags: undefined };
  if (known === undefined) await putChild(children, kind, { ...by, name: regionKey(region), location: region });
  else {
    const before = async (): Promise<StoredChild> =>
      (await findReplication(children, registry, region)) ?? none(registry, region);
    await patchChild(children, kind, { ...by, name: known.name, before });
  }
  return { status: known === undefined ? 201 : 200, body: { json: { region, isEndpointEnabled: regionEndpointEnabled } } };
}

async function deleteReplica({ kind, children, requireHome }: ReplicaRoutesOptions, request: RouteRequest): Promise<Reply> {
  const { registry, params } = request;
  requireHome(registry);
  const region = params['region'] ?? '';
  const { name } = (await findReplication(children, registry, region)) ?? none(registry, region);
  await removeChild(children, kind, { registry, name });
  return { status: 204 };
}

async function findReplication(
  { database }: ChildrenContext,
  registry: Registry,
  region: string,
): Promise<StoredChild | undefined> {
  const page = { registryId: registry.id, kind: 'replications', after: '', limit: maxRegions };
  const replications = await childrenAfter(database.read, page);
  return replications.find(({ location }) => regionKey(location ?? '') === regionKey(region));
}

function isRouted(replication: StoredChild | undefined): boolean {
  const { regionEndpointEnabled = true } = (replication?.properties ?? {}) as { readonly regionEndpointEnabled?: boolean };
  return regionEndpointEnabled;
}

/** @throws NOT_FOUND */
function none({ name }: Registry, region: string): never {
  throw new RegistryError('NOT_FOUND', {
    message: `${name} has no replica in ${JSON.stringify(region.slice(0, 64))}: berth replication status lists its regions`,
  });
}
