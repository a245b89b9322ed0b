import { arm } from '@berth/api';
import type { TSchema } from 'typebox';
import type { Reply, Route } from '../http/route.ts';
import {
  type Child,
  type ChildKind,
  type ChildrenContext,
  type Fields,
  type KindScene,
  childrenAfter,
  findChild,
  invalid,
  patchChild,
  putChild,
  removeChild,
  sceneOf,
} from '../resources/index.ts';
import { isCountable, requireRoomFor } from '../registries/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ArmContext } from './arm-context.ts';
import { LeavingChildren } from './leaving-children.ts';
import { type RegistryRequest, managedRegistry, resourceNotFound, readDocument, readTags } from './managed-routes.ts';
import { systemData } from './system-data.ts';

const pageSize = 100;
const lookAgainSeconds = 2;

type Collection = keyof typeof arm.children;
type ChildContext = ArmContext & { readonly leaving: LeavingChildren };

/** The children of registries: every kind that a feature declares, served in one way (acr-api 3.2). */
export function childRoutes(armContext: ArmContext): readonly Route[] {
  const context: ChildContext = { ...armContext, leaving: new LeavingChildren(armContext.clock) };
  return context.kinds.flatMap((kind) => {
    const operations = arm.children[kind.collection as Collection];
    return [
      managedRegistry(context, operations.list, (request) => list(context, kind, request)),
      managedRegistry(context, operations.get, (request) => show(context, kind, request)),
      managedRegistry(context, operations.put, (request) => put(context, kind, request)),
      managedRegistry(context, operations.patch, (request) => patch(context, kind, request)),
      managedRegistry(context, operations.delete, (request) => remove(context, kind, request)),
      ...(kind.actions ?? []).map(({ operation, answer }) =>
        managedRegistry(context, operation, async (request) => {
          const child = await requireChild(context, kind, request);
          const json = await answer(child, scene(context, request.registry, child.name), request.request);
          return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
        }),
      ),
    ];
  });
}

async function list(context: ArmContext, kind: ChildKind, { request, registry }: RegistryRequest): Promise<Reply> {
  const after = request.query.get('$skiptoken') ?? '';
  const page = { registryId: registry.id, kind: kind.collection, after, limit: pageSize + 1 };
  const found = await childrenAfter(context.database.read, page);
  const stored = found.slice(0, pageSize);
  const value = [];
  for (const child of [...(after === '' ? (kind.builtIn ?? []) : []), ...stored])
    value.push(await document(context, kind, { registry, child }));
  const last = stored.at(-1);
  const nextLink =
    found.length > stored.length && last !== undefined
      ? linkAfter(request, `${registry.resourceId}/${kind.collection}`, last.name)
      : undefined;
  return { status: 200, body: { json: { value, ...(nextLink !== undefined && { nextLink }) } } };
}

/** Clients that wait for it look again by themselves: every 30 seconds, unless they are told (acr-api 3.1). */
function isUnderWay(document: object): boolean {
  return (
    (document as { readonly properties?: { readonly provisioningState?: string } }).properties?.provisioningState === 'Creating'
  );
}

function linkAfter({ origin, query }: RegistryRequest['request'], path: string, name: string): string {
  const version = query.get('api-version') ?? '';
  return `${origin}${path}?api-version=${encodeURIComponent(version)}&$skiptoken=${encodeURIComponent(name.toLowerCase())}`;
}

async function show(context: ChildContext, kind: ChildKind, request: RegistryRequest): Promise<Reply> {
  const { registry } = request;
  const child = await findNamed(context, kind, request);
  const json =
    child === undefined
      ? context.leaving.find(idOf(kind, registry, nameOf(request)))
      : await document(context, kind, { registry, child });
  if (json === undefined) throw childNotFound(kind, request);
  return { status: 200, ...(isUnderWay(json) && { headers: { 'Retry-After': lookAgainSeconds } }), body: { json } };
}

async function put(context: ChildContext, kind: ChildKind, managedRequest: RegistryRequest): Promise<Reply> {
  const { request, registry, caller } = managedRequest;
  const name = nameOf(managedRequest);
  const document = await readChild(kind, 'put', request);
  if (!kind.nameRule.pattern.test(name)) throw invalid('name', `of a ${kind.word} must be ${kind.nameRule.words}`);
  requireChangeable(kind, name);
  const { isNew } = await putChild(childrenOf(context), kind, {
    registry,
    name,
    document,
    by: caller,
    requestedBy: request.principal.id,
    location: kind.isTracked ? document.requiredText('location', 90) : null,
    tags: kind.isTracked ? (readTags(document) ?? {}) : {},
  });
  const reply = await show(context, kind, managedRequest);
  return { ...reply, status: isNew && kind.isCreatedQuietly !== true ? 201 : 200 };
}

async function patch(context: ChildContext, kind: ChildKind, managedRequest: RegistryRequest): Promise<Reply> {
  const { request, registry, caller } = managedRequest;
  const name = nameOf(managedRequest);
  const document = await readChild(kind, 'patch', request);
  requireChangeable(kind, name);
  await patchChild(childrenOf(context), kind, {
    registry,
    name,
    document,
    by: caller,
    requestedBy: request.principal.id,
    tags: kind.isTracked ? readTags(document) : undefined,
    before: () => requireChild(context, kind, managedRequest),
  });
  return show(context, kind, managedRequest);
}

async function remove(context: ChildContext, kind: ChildKind, managedRequest: RegistryRequest): Promise<Reply> {
  const { registry } = managedRequest;
  const name = nameOf(managedRequest);
  requireChangeable(kind, name);
  const last = kind.isSeenLeaving === true ? await findNamed(context, kind, managedRequest) : undefined;
  const wasThere = await removeChild(childrenOf(context), kind, { registry, name });
  if (wasThere && last !== undefined)
    context.leaving.add(idOf(kind, registry, name), await document(context, kind, { registry, child: last, state: 'Deleting' }));
  return { status: wasThere ? 200 : 204 };
}

/** The body that makes or changes a child, as large as its kind may be. */
function readChild(kind: ChildKind, verb: 'put' | 'patch', request: RegistryRequest['request']): Promise<Fields> {
  const { body, maxBodyBytes } = arm.children[kind.collection as Collection][verb];
  return readDocument(request, body as TSchema, maxBodyBytes);
}

function childrenOf(context: ArmContext): ChildrenContext {
  return {
    database: context.database,
    clock: context.clock,
    kinds: context.kinds,
    limitOf: (kind, registry) => (isCountable(kind.collection) ? atMost(context, kind, registry) : undefined),
    refuseMore: (kind, registry) => requireRoom(context, kind, registry),
  };
}

/** How many of a kind the plan of a registry allows (acr-api 4.1); kinds that no plan counts have no limit. */
function atMost({ registries }: ArmContext, { collection }: ChildKind, { plan }: Registry): number {
  return isCountable(collection) ? registries.plans[plan][collection] : Number.POSITIVE_INFINITY;
}

/** @throws QUOTA_EXCEEDED */
function requireRoom(context: ArmContext, kind: ChildKind, registry: Registry): void {
  const { collection } = kind;
  if (isCountable(collection))
    requireRoomFor(context.registries.plans, registry.plan, { kind: collection, current: atMost(context, kind, registry) });
}

type FoundChild = Child & { readonly version: number };

async function requireChild(context: ArmContext, kind: ChildKind, request: RegistryRequest): Promise<FoundChild> {
  const found = await findNamed(context, kind, request);
  if (found === undefined) throw childNotFound(kind, request);
  return found;
}

async function findNamed(context: ArmContext, kind: ChildKind, request: RegistryRequest): Promise<FoundChild | undefined> {
  const name = nameOf(request);
  const builtIn = kind.builtIn?.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (builtIn !== undefined) return { ...builtIn, version: 0 };
  return findChild(context.database.read, { registryId: request.registry.id, kind: kind.collection, name });
}

function childNotFound(kind: ChildKind, request: RegistryRequest): Error {
  return resourceNotFound(idOf(kind, request.registry, nameOf(request)), request.record.resourceGroup);
}

function requireChangeable(kind: ChildKind, name: string): void {
  if (kind.builtIn?.some((each) => each.name.toLowerCase() === name.toLowerCase()) === true)
    throw invalid('name', `${name} is a ${kind.word} of the system, which cannot be changed or deleted`);
}

interface DocumentParts {
  readonly registry: Registry;
  readonly child: Child;
  /** Where it is not what the kind says. */
  readonly state?: string;
}

async function document(context: ArmContext, kind: ChildKind, { registry, child, state }: DocumentParts): Promise<object> {
  const { name, location, tags } = child;
  const shown = await kind.show(child, scene(context, registry, name));
  return {
    id: idOf(kind, registry, name),
    name,
    type: `Microsoft.ContainerRegistry/registries/${kind.collection}`,
    ...(kind.isTracked && { location, tags }),
    ...kind.showBeside?.(child),
    systemData: systemData(child),
    properties: { provisioningState: 'Succeeded', ...shown, ...(state !== undefined && { provisioningState: state }) },
  };
}

function idOf(kind: ChildKind, registry: Registry, name: string): string {
  return `${registry.resourceId}/${kind.collection}/${name}`;
}

function scene(context: ArmContext, registry: Registry, name: string): KindScene {
  return sceneOf(context, { registry, name });
}

function nameOf({ params }: RegistryRequest): string {
  return params['childName'] ?? '';
}
