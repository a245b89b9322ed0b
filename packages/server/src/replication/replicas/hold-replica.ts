import { type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import { findUse, regionKey } from './queries.ts';

export interface HoldReplica {
  readonly name: string;
  /** The region that says that this one is to hold it. */
  readonly home: string;
  readonly resourceGroup: string;
  readonly now: number;
}

export type HeldReplica =
  | { readonly outcome: 'held' | 'made' | 'adopted'; readonly registryId: number }
  | { readonly outcome: 'refused'; readonly problem: string; readonly remedy: string };

/**
 * Makes a registry that holds what another region's has, or takes one of this name that nobody has used, such as the default one
 * of every deployment. Its settings come later; until then a registry that is taken keeps its admin user.
 */
export const holdReplica = defineTransaction('replication.hold', async (tx, input: HoldReplica): Promise<HeldReplica> => {
  const { name, home, now } = input;
  const found = await lockRows(
    tx.selectFrom('registries').select(['id', 'home_region', 'version']).where('name', '=', name).where('deleted_at', 'is', null),
  ).executeTakeFirst();
  if (found === undefined) return { outcome: 'made', registryId: await make(tx, input) };
  const { id: registryId } = found;
  if (found.home_region !== null && regionKey(found.home_region) === regionKey(home)) return { outcome: 'held', registryId };
  if (found.home_region !== null)
    return refuse(
      `this region holds the registry ${name} of the region ${found.home_region}`,
      'a name belongs to one home region: delete the replication in one of the two, or take another name',
    );
  const use = await findUse(tx, registryId);
  if (use !== undefined)
    return refuse(
      `this region has a registry ${name} of its own, with ${use} in it`,
      `import what is needed into ${home} and delete it here, or take another name`,
    );
  await tx
    .updateTable('registries')
    .set({
      home_region: home,
      is_replicated: 1,
      // There is nothing in it that would have to be noted.
      registers_ready_at: now,
      settings_version: null,
      version: found.version + 1,
    })
    .where('id', '=', registryId)
    .execute();
  // What was deleted here before must not be deleted elsewhere.
  for (const table of ['changes', 'registers', 'region_feeds', 'pending_manifests', 'region_copies'] as const)
    await tx.deleteFrom(table).where('registry_id', '=', registryId).execute();
  return { outcome: 'adopted', registryId };
});

function refuse(problem: string, remedy: string): HeldReplica {
  return { outcome: 'refused', problem, remedy };
}

async function make(tx: WriteQueries, { name, home, resourceGroup, now }: HoldReplica): Promise<number> {
  await tx
    .insertInto('resource_groups')
    .values({ name_key: resourceGroup.toLowerCase(), name: resourceGroup, location: home, tags: '{}', created_at: now })
    .onConflict((conflict) => conflict.column('name_key').doNothing())
    .execute();
  const { id } = await tx
    .insertInto('registries')
    .values({
      name,
      anonymous_pull: 0,
      resource_group: resourceGroup,
      location: home,
      plan: 'Premium',
      created_at: now,
      created_by: '',
      updated_at: now,
      updated_by: '',
      home_region: home,
      is_replicated: 1,
      registers_ready_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
