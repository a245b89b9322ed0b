import type { ReadQueries, WriteQueries } from '../../platform/database/index.ts';

/** A region that holds a registry. */
export interface HoldingRegion {
  readonly name: string;
  readonly isEndpointEnabled: boolean;
}

/** How regions are compared: `West Europe` and `westeurope` are one (acr-api 3.1). */
export function regionKey(name: string): string {
  return name.replaceAll(' ', '').toLowerCase();
}

/** All regions that a registry's replications name, its home region first. Their number is that of the peers. */
export async function holdingRegions(
  db: ReadQueries | WriteQueries,
  { registryId, home }: { readonly registryId: number; readonly home: string },
): Promise<readonly HoldingRegion[]> {
  const rows = await db
    .selectFrom('resources')
    .select(['location', 'properties'])
    .where('registry_id', '=', registryId)
    .where('kind', '=', 'replications')
    .orderBy('name_key')
    .execute();
  const regions = rows.map(({ location, properties }) => ({
    name: regionKey(location ?? ''),
    isEndpointEnabled: (JSON.parse(properties) as { readonly regionEndpointEnabled?: boolean }).regionEndpointEnabled !== false,
  }));
  const isHome = ({ name }: HoldingRegion): boolean => name === regionKey(home);
  return [regions.find(isHome) ?? { name: home, isEndpointEnabled: true }, ...regions.filter((region) => !isHome(region))];
}

/** Of the settings that a replica has taken over last; undefined: of none yet. */
export async function settingsVersionOf(db: ReadQueries, registryId: number): Promise<string | undefined> {
  const row = await db.selectFrom('registries').select('settings_version').where('id', '=', registryId).executeTakeFirst();
  return row?.settings_version ?? undefined;
}

/** Registries of this home that a region has to give up; with `before`: for longer. */
export async function removedReplicas(
  db: ReadQueries,
  region: string,
  before: number = Number.MAX_SAFE_INTEGER,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('removed_replicas')
    .select('registry')
    .where('region', '=', regionKey(region))
    .where('removed_at', '<', before)
    .orderBy('registry')
    .execute();
  return rows.map((row) => row.registry);
}

/** Whether a region has yet to give up what it held of a registry of this name. */
export async function isLeaving(
  db: ReadQueries | WriteQueries,
  { registry, region }: { readonly registry: string; readonly region: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('removed_replicas')
    .select('registry')
    .where('registry', '=', registry)
    .where('region', '=', regionKey(region))
    .executeTakeFirst();
  return row !== undefined;
}

/** What keeps a registry of this region from becoming a replica: content, or tasks, which run in a home region alone. */
export async function findUse(db: WriteQueries, registryId: number): Promise<string | undefined> {
  const repository = await db
    .selectFrom('repositories')
    .select('name')
    .where('registry_id', '=', registryId)
    .where('deleted_at', 'is', null)
    .where((eb) => eb.or([eb('listed_at', 'is not', null), eb('manifest_count', '>', 0)]))
    .limit(1)
    .executeTakeFirst();
  if (repository !== undefined) return `the repository ${repository.name}`;
  const task = await db
    .selectFrom('resources')
    .select(['kind', 'name'])
    .where('registry_id', '=', registryId)
    .where('kind', 'in', ['tasks', 'agentPools', 'replications'])
    .limit(1)
    .executeTakeFirst();
  if (task === undefined) return undefined;
  const words = { tasks: 'the task', agentPools: 'the agent pool', replications: 'a replication of its own to' } as const;
  return `${words[task.kind as keyof typeof words]} ${task.name}`;
}

/** By registry, what is known of other regions' credentials for it, sealed. */
export function sealedHomeKeys(
  db: ReadQueries,
): Promise<{ registry_id: number; data_key_id: string; sealed: Uint8Array; home_region: string | null }[]> {
  return db
    .selectFrom('home_keys')
    .innerJoin('registries', 'registries.id', 'home_keys.registry_id')
    .select(['registry_id', 'data_key_id', 'sealed', 'home_region'])
    .where('deleted_at', 'is', null)
    .orderBy('registry_id')
    .execute();
}
