import { blobTransactions } from '../../blobs/index.ts';
import { catalogTransactions } from '../../catalog/index.ts';
import { damageTransactions } from '../../platform/damage/transactions.ts';
import { defineTransaction } from '../../platform/database/index.ts';
import { collectorTransactions } from '../../platform/garbage/index.ts';
import { keyTransactions } from '../../platform/keys/index.ts';
import { replicationTransactions } from '../transactions.ts';

/** A region with one replicated registry, which follows others by name. */
export const addReplica = defineTransaction(
  'test.add-replica',
  async (tx, input: { readonly region: string; readonly registry: string; readonly others: readonly string[] }) => {
    const deployment = { id: 1, tenant_id: 't', subscription_id: 's', owner_identity_id: null, created_at: 0 };
    await tx
      .insertInto('deployment')
      .values({ ...deployment, region: input.region })
      .execute();
    const registry = { name: input.registry, anonymous_pull: 0, is_replicated: 1, created_at: 0 };
    const { id } = await tx.insertInto('registries').values(registry).returning('id').executeTakeFirstOrThrow();
    for (const region of input.others)
      await tx
        .insertInto('region_feeds')
        .values({ registry_id: id, region, cursor: '', state: 'following', created_at: 0 })
        .execute();
    return id;
  },
);

export const lockRepository = defineTransaction('test.lock-repository', async (tx, input: { readonly name: string }) => {
  await tx.updateTable('repositories').set({ write_enabled: 0 }).where('name', '=', input.name).execute();
});

export const transactions = [
  ...keyTransactions,
  ...damageTransactions,
  ...collectorTransactions,
  ...blobTransactions,
  ...catalogTransactions,
  ...replicationTransactions,
  addReplica,
  lockRepository,
];
