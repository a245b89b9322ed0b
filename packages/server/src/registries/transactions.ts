import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';
import { addCandidates } from '../platform/garbage/candidates.ts';
import type { RegistryRecord } from './model.ts';
import { type Deployment, findDeployment, findRegistry } from './queries.ts';

export type NewRegistry = Pick<
  RegistryRecord,
  'name' | 'resourceGroup' | 'location' | 'plan' | 'isAnonymousPullEnabled' | 'tags' | 'properties'
> & {
  readonly by: string;
  readonly now: number;
};

/** A registry by its name, made when missing. */
export const ensureRegistry = defineTransaction('registries.ensure', async (tx, input: NewRegistry): Promise<RegistryRecord> => {
  await tx
    .insertInto('registries')
    .values({
      name: input.name,
      anonymous_pull: input.isAnonymousPullEnabled ? 1 : 0,
      resource_group: input.resourceGroup,
      location: input.location,
      plan: input.plan,
      tags: JSON.stringify(input.tags),
      properties: JSON.stringify(input.properties),
      created_at: input.now,
      created_by: input.by,
      updated_at: input.now,
      updated_by: input.by,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const found = await findRegistry(tx, input.name);
  if (found === undefined) throw new Error(`the registry ${input.name} is not there after it was made`);
  return found;
});

export type RegistryChange = Pick<
  RegistryRecord,
  'id' | 'version' | 'plan' | 'isAnonymousPullEnabled' | 'tags' | 'properties'
> & {
  readonly by: string;
  readonly now: number;
};

/** Writes what a client changed of the version that it was merged with. False when there is a newer one: read again. */
export const updateRegistry = defineTransaction('registries.update', async (tx, input: RegistryChange): Promise<boolean> => {
  const updated = await tx
    .updateTable('registries')
    .set({
      plan: input.plan,
      anonymous_pull: input.isAnonymousPullEnabled ? 1 : 0,
      tags: JSON.stringify(input.tags),
      properties: JSON.stringify(input.properties),
      updated_at: input.now,
      updated_by: input.by,
      version: input.version + 1,
    })
    .where('id', '=', input.id)
    .where('version', '=', input.version)
    .where('deleted_at', 'is', null)
    .returning('id')
    .execute();
  return updated.length > 0;
});

/**
 * Takes a registry away: its name is free at once, nobody can sign in, nothing of it can be reached. Its content goes in
 * batches later. False when it was gone.
 */
export const deleteRegistry = defineTransaction(
  'registries.delete',
  async (tx, { id, name, now }: { readonly id: number; readonly name: string; readonly now: number }): Promise<boolean> => {
    const deleted = await tx
      .updateTable('registries')
      .set({ deleted_at: now, name: `${name} deleted ${id}` })
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .returning('id')
      .execute();
    // Other regions give it up when they read this; without it they keep what they have.
    const regions = await tx
      .selectFrom('resources')
      .innerJoin('deployment', (join) => join.on('deployment.id', '=', 1))
      .select('location')
      .where('registry_id', '=', id)
      .where('kind', '=', 'replications')
      .whereRef('location', '!=', 'deployment.region')
      .execute();
    for (const { location } of deleted.length > 0 ? regions : [])
      await tx
        .insertInto('removed_replicas')
        .values({ registry: name, region: location ?? '', removed_at: now })
        .onConflict((conflict) => conflict.columns(['registry', 'region']).doUpdateSet({ removed_at: now }))
        .execute();
    await tx.deleteFrom('admin_users').where('registry_id', '=', id).execute();
    await tx.deleteFrom('resources').where('registry_id', '=', id).execute();
    return deleted.length > 0;
  },
);

/** Repositories that are handed to collection in one transaction. */
const repositoriesPerBatch = 200;

/** Hands some repositories of a deleted registry to collection. False when none is left. */
export const collectDeletedRegistry = defineTransaction(
  'registries.collect-deleted',
  async (tx, { id, now }: { readonly id: number; readonly now: number }): Promise<boolean> => {
    const left = await tx
      .selectFrom('repositories')
      .select('id')
      .where('registry_id', '=', id)
      .where('deleted_at', 'is', null)
      .limit(repositoriesPerBatch)
      .execute();
    if (left.length === 0) return false;
    const ids = left.map((row) => row.id);
    await tx.updateTable('repositories').set({ deleted_at: now }).where('id', 'in', ids).execute();
    await addCandidates(tx, 'repository', ids.map(String), now);
    return true;
  },
);

/** Rows of the log and of registers that go in one transaction. */
const factsPerBatch = 1_000;

/** Takes away some of what is noted of a deleted registry's content. False when nothing is left. */
export const forgetDeletedRegistry = defineTransaction(
  'registries.forget-deleted',
  async (tx, { id }: { readonly id: number }): Promise<boolean> => {
    const changes = await tx
      .selectFrom('changes')
      .select('sequence')
      .where('registry_id', '=', id)
      .orderBy('sequence')
      .limit(factsPerBatch)
      .execute();
    const last = changes.at(-1);
    if (last !== undefined) {
      await tx.deleteFrom('changes').where('registry_id', '=', id).where('sequence', '<=', last.sequence).execute();
      return true;
    }
    const registers = await tx
      .selectFrom('registers')
      .select(['repository', 'kind', 'name'])
      .where('registry_id', '=', id)
      .orderBy('repository')
      .orderBy('kind')
      .orderBy('name')
      .limit(factsPerBatch)
      .execute();
    const end = registers.at(-1);
    if (end === undefined) return false;
    await tx
      .deleteFrom('registers')
      .where('registry_id', '=', id)
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('repository', 'kind', 'name'), '<=', tuple(end.repository, end.kind, end.name)),
      )
      .execute();
    return true;
  },
);

/** Makes the one row that names the deployment, when missing. */
export const ensureDeployment = defineTransaction(
  'registries.ensure-deployment',
  async (
    tx,
    { location, ...input }: Omit<Deployment, 'owner_identity_id'> & { readonly location: string },
  ): Promise<Deployment> => {
    await tx
      .insertInto('resource_groups')
      .values({ name_key: 'berth', name: 'berth', location, tags: '{}', created_at: input.created_at })
      .onConflict((conflict) => conflict.column('name_key').doNothing())
      .execute();
    await tx
      .insertInto('deployment')
      .values({ id: 1, ...input, owner_identity_id: null })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    return (await findDeployment(tx)) ?? { ...input, owner_identity_id: null };
  },
);

/** Notes what this region is called, for the stamps of what is done here. */
export const nameRegion = defineTransaction('registries.name-region', async (tx, { region }: { readonly region: string }) => {
  await tx.updateTable('deployment').set({ region }).where('id', '=', 1).execute();
});

export const registryTransactions: readonly TransactionDefinition<never, unknown>[] = [
  ensureRegistry,
  updateRegistry,
  ensureDeployment,
  nameRegion,
  deleteRegistry,
  collectDeletedRegistry,
  forgetDeletedRegistry,
];
