import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { Fields } from './fields.ts';
import type { Child, ChildKind, KindScene } from './kind.ts';
import { type StoredChild, findChild } from './queries.ts';
import { deleteChild, writeChild } from './transactions.ts';

/** How often a change is merged again when others change the same child at the same time. */
const attempts = 5;

/** What writing children needs. */
export interface ChildrenContext {
  readonly database: Database;
  readonly clock: Clock;
  /** By these, built-in children of other kinds are found. */
  readonly kinds: readonly ChildKind[];
  /** How many of a kind a registry may have by its plan; undefined: the plan does not count them. */
  readonly limitOf: (kind: ChildKind, registry: Registry) => number | undefined;
  /** @throws QUOTA_EXCEEDED in the words of whoever set the limit */
  readonly refuseMore?: (kind: ChildKind, registry: Registry) => void;
}

export interface ChildToWrite {
  readonly registry: Registry;
  readonly name: string;
  /** With `properties` in it, and what stands beside them. */
  readonly document: Fields;
  /** Who asks, for `systemData`. */
  readonly by: string;
  /** Their principal's id, for what is done in their name. */
  readonly requestedBy: string;
  readonly location: string | null;
  /** Undefined: as they are. */
  readonly tags: Readonly<Record<string, string>> | undefined;
}

/** Makes or replaces a child. @throws what its kind throws, QUOTA_EXCEEDED, CONFLICT */
export async function putChild(
  context: ChildrenContext,
  kind: ChildKind,
  { registry, name, document, by, requestedBy, location, tags }: ChildToWrite,
): Promise<{ readonly isNew: boolean }> {
  const { database, clock } = context;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const before = await findChild(database.read, { registryId: registry.id, kind: kind.collection, name });
    const now = clock.now();
    const properties = await kind.create(
      document.object('properties'),
      sceneOf(context, { registry, name, document, requestedBy }),
    );
    const outcome = await database.write(writeChild, {
      registryId: registry.id,
      kind: kind.collection,
      name: before?.name ?? name,
      location,
      tags: JSON.stringify(tags ?? before?.tags ?? {}),
      properties: JSON.stringify(properties),
      by,
      now,
      version: before?.version,
      atMost: limitOf(context, kind, registry),
    });
    if (outcome === 'full') refuseMore(context, kind, registry);
    if (outcome !== 'written') continue;
    kind.changed?.({ registry, name });
    return { isNew: before === undefined };
  }
  throw busy(kind);
}

/** Changes a child that is there. @throws what its kind throws, what `before` throws when there is none, CONFLICT */
export async function patchChild(
  context: ChildrenContext,
  kind: ChildKind,
  {
    registry,
    name,
    document,
    by,
    requestedBy,
    tags,
    before: findBefore,
  }: Omit<ChildToWrite, 'location'> & { readonly before: () => Promise<Child & { readonly version: number }> },
): Promise<void> {
  const { database, clock } = context;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const before = await findBefore();
    const properties = await kind.update(
      before.properties,
      document.object('properties'),
      sceneOf(context, { registry, name, document, requestedBy }),
    );
    const outcome = await database.write(writeChild, {
      registryId: registry.id,
      kind: kind.collection,
      name,
      location: before.location,
      tags: JSON.stringify(tags ?? before.tags),
      properties: JSON.stringify(properties),
      by,
      now: clock.now(),
      version: before.version,
      atMost: limitOf(context, kind, registry),
    });
    if (outcome !== 'written') continue;
    kind.changed?.({ registry, name });
    return;
  }
  throw busy(kind);
}

/** Whether there was one. @throws CONFLICT when something needs it */
export async function removeChild(
  context: ChildrenContext,
  kind: ChildKind,
  { registry, name }: { readonly registry: Registry; readonly name: string },
): Promise<boolean> {
  const { database } = context;
  const child: StoredChild | undefined = await findChild(database.read, {
    registryId: registry.id,
    kind: kind.collection,
    name,
  });
  if (child === undefined) return false;
  const scene = sceneOf(context, { registry, name });
  await kind.requireDeletable?.(child, scene);
  await (kind.remove?.(child, scene) ?? database.write(deleteChild, { registryId: registry.id, kind: kind.collection, name }));
  kind.changed?.({ registry, name });
  return true;
}

/** Where and when something is asked of a kind. */
export function sceneOf(
  { database, clock, kinds }: Pick<ChildrenContext, 'database' | 'clock' | 'kinds'>,
  { registry, name, ...written }: Pick<KindScene, 'registry' | 'name' | 'document' | 'requestedBy'>,
): KindScene {
  const find = async (collection: string, wanted: string): Promise<Child | undefined> => {
    const builtIn = kinds.find((kind) => kind.collection === collection)?.builtIn;
    return (
      builtIn?.find((each) => each.name.toLowerCase() === wanted.toLowerCase()) ??
      findChild(database.read, { registryId: registry.id, kind: collection, name: wanted })
    );
  };
  return { registry, name, now: clock.now(), find, ...written };
}

function limitOf(context: ChildrenContext, kind: ChildKind, registry: Registry): number {
  return context.limitOf(kind, registry) ?? kind.atMost ?? Number.POSITIVE_INFINITY;
}

/** @throws QUOTA_EXCEEDED */
function refuseMore(context: ChildrenContext, kind: ChildKind, registry: Registry): never {
  context.refuseMore?.(kind, registry);
  throw new RegistryError('QUOTA_EXCEEDED', {
    message: `a registry has at most ${limitOf(context, kind, registry)} of what is called ${kind.collection}; delete some first`,
  });
}

function busy({ word }: ChildKind): RegistryError {
  return new RegistryError('CONFLICT', { message: `the ${word} is being changed by others; try again` });
}
