import { RegistryError } from '../../errors/index.ts';
import { type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import { isLeaving, regionKey } from './queries.ts';

export interface BeginReplication {
  readonly registryId: number;
  readonly registry: string;
  /** Its home: this region. */
  readonly home: string;
  /** The region that is to hold it, too; its own name in the list of replications may be another. */
  readonly region: string;
  readonly name: string;
  readonly now: number;
}

/**
 * Makes a registry one of several regions: from now on each write notes what it did in registers. The home region stands in the
 * list of replications, too (acr-api 6.13). Comes before the replication itself, so that none is without registers.
 * @throws CONFLICT
 */
export const beginReplication = defineTransaction('replication.begin', async (tx, input: BeginReplication): Promise<void> => {
  const { registryId, registry, home, region, now } = input;
  const row = await lockRows(
    tx.selectFrom('registries').select('is_replicated').where('id', '=', registryId).where('deleted_at', 'is', null),
  ).executeTakeFirst();
  if (row === undefined) throw new RegistryError('CONFLICT', { message: `the registry ${registry} was deleted just now` });
  if (await isLeaving(tx, { registry, region }))
    throw new RegistryError('CONFLICT', {
      message: `the region ${region} still holds what it is to remove of a registry ${registry} that was here before; try again when it has said that it is gone, which takes some seconds once it can be reached`,
      target: 'location',
    });
  await requireFreeRegion(tx, input);
  if (row.is_replicated === 0)
    await tx
      .updateTable('registries')
      .set((eb) => ({ is_replicated: 1, registers_ready_at: null, version: eb('version', '+', 1) }))
      .where('id', '=', registryId)
      .execute();
  await tx
    .insertInto('resources')
    .values({
      registry_id: registryId,
      kind: 'replications',
      name: home,
      name_key: home.toLowerCase(),
      location: home,
      tags: '{}',
      properties: JSON.stringify({ regionEndpointEnabled: true, zoneRedundancy: 'Disabled' }),
      created_at: now,
      created_by: '',
      updated_at: now,
      updated_by: '',
      version: 1,
    })
    .onConflict((conflict) => conflict.columns(['registry_id', 'kind', 'name_key']).doNothing())
    .execute();
});

async function requireFreeRegion(tx: WriteQueries, { registryId, region, name }: BeginReplication): Promise<void> {
  const others = await tx
    .selectFrom('resources')
    .select(['name', 'location'])
    .where('registry_id', '=', registryId)
    .where('kind', '=', 'replications')
    .execute();
  const isNamed = (row: { readonly name: string }): boolean => row.name.toLowerCase() === name.toLowerCase();
  const isThere = (row: { readonly location: string | null }): boolean => regionKey(row.location ?? '') === regionKey(region);
  const before = others.find(isNamed);
  if (before !== undefined && !isThere(before))
    throw new RegistryError('CONFLICT', {
      message: `the replication ${name} is in ${before.location ?? 'no region'}, and its location cannot be changed: delete it first`,
      target: 'location',
    });
  const same = others.find((row) => isThere(row) && !isNamed(row));
  if (same !== undefined)
    throw new RegistryError('CONFLICT', {
      message: `the replication ${same.name} is in ${region} already: a region holds a registry once`,
      target: 'location',
    });
}

/**
 * Deletes a replication: a region is to hold a registry no longer. That is kept until the region has said that it is gone there.
 * With the last one the home region leaves the list, too. Whether there was one.
 */
export const endReplication = defineTransaction('replication.end', async (tx, input: BeginReplication): Promise<boolean> => {
  const { registryId, registry, home, region, name, now } = input;
  await lockRows(tx.selectFrom('registries').select('id').where('id', '=', registryId)).execute();
  const replications = await tx
    .selectFrom('resources')
    .select(['id', 'name_key', 'location'])
    .where('registry_id', '=', registryId)
    .where('kind', '=', 'replications')
    .execute();
  const ended = replications.find((row) => row.name_key === name.toLowerCase());
  if (ended === undefined) return false;
  const left = replications.filter((row) => row !== ended);
  const isOnlyHome = left.every(({ location }) => regionKey(location ?? '') === regionKey(home));
  const gone = isOnlyHome ? replications : [ended];
  await tx
    .deleteFrom('resources')
    .where(
      'id',
      'in',
      gone.map(({ id }) => id),
    )
    .execute();
  await tx
    .insertInto('removed_replicas')
    .values({ registry, region: regionKey(region), removed_at: now })
    .onConflict((conflict) => conflict.columns(['registry', 'region']).doUpdateSet({ removed_at: now }))
    .execute();
  return true;
});

/** A region has said that it holds a registry no longer. */
export const confirmRemoval = defineTransaction(
  'replication.confirm-removal',
  async (tx, { registry, region }: { readonly registry: string; readonly region: string }): Promise<void> => {
    await tx.deleteFrom('removed_replicas').where('registry', '=', registry).where('region', '=', regionKey(region)).execute();
  },
);
