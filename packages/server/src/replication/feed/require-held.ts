import { RegistryError } from '../../errors/index.ts';
import type { Principal, Registry } from '../../tenancy/index.ts';
import type { FeedContext } from './feed-context.ts';

/** The registry that another region asks about, if both hold it. @throws NOT_FOUND */
export async function requireHeld({ registries, told, region }: FeedContext, name: string, asker: Principal): Promise<Registry> {
  const registry = registries.byName(name);
  if (registry !== undefined && (await told.isHeldBy(registry, asker.name))) return registry;
  throw new RegistryError('NOT_FOUND', {
    message: `${region} does not hold the registry ${JSON.stringify(name.slice(0, 64))} together with the region ${asker.name}`,
  });
}

/**
 * A replica that may have missed deletions must not tell others of what was deleted (attack 39). What a digest names cannot be
 * wrong, so that its blobs go on being read. @throws UNAVAILABLE
 */
export async function requireFresh({ database, region }: FeedContext, registry: Registry): Promise<void> {
  const stale = await database.read
    .selectFrom('region_feeds')
    .select(['region', 'problem'])
    .where('registry_id', '=', registry.id)
    .where('state', '=', 'stale')
    .limit(1)
    .executeTakeFirst();
  if (stale === undefined) return;
  throw new RegistryError('UNAVAILABLE', {
    message: `the replica of ${registry.name} in ${region} was away from ${stale.region} for longer than deletions are remembered, and tells nothing until it is made anew`,
    headers: { 'Retry-After': '60' },
  });
}
