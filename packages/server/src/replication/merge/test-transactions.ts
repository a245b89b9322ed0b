import { transactions as catalogTransactions } from '../../catalog/test-transactions.ts';
import { defineTransaction } from '../../platform/database/index.ts';
import { feedTransactions } from '../follow/feed-transactions.ts';
import { mergeTransactions } from './transactions.ts';

/** The server's transactions, as far as tests of merging need them, and some that only tests need. */

export const nameRegion = defineTransaction('test.name-region', async (tx, { region }: { readonly region: string }) => {
  await tx.deleteFrom('deployment').execute();
  const ids = { tenant_id: 't', subscription_id: 's', owner_identity_id: null };
  await tx
    .insertInto('deployment')
    .values({ id: 1, ...ids, created_at: 0, region })
    .execute();
});

export const holdFeed = defineTransaction(
  'test.hold-feed',
  async (tx, { registryId, region, at = 0 }: { readonly registryId: number; readonly region: string; readonly at?: number }) => {
    const nothing = { snapshot_after: null, snapshot_cursor: null, answered_at: null, complete_until: null, behind: null };
    const none = { skew_ms: null, problem: null, remedy: null, held_until: null };
    await tx
      .insertInto('region_feeds')
      .values({
        registry_id: registryId,
        region,
        cursor: '',
        state: 'waiting',
        created_at: at,
        held_by: 'test',
        ...nothing,
        ...none,
      })
      .execute();
  },
);

/** Makes the registry one that came from another region. */
export const callHome = defineTransaction(
  'test.call-home',
  async (tx, { registryId, region }: { readonly registryId: number; readonly region: string }) => {
    await tx.updateTable('registries').set({ home_region: region }).where('id', '=', registryId).execute();
  },
);

export const transactions = [...catalogTransactions, ...mergeTransactions, ...feedTransactions, nameRegion, holdFeed, callHome];
