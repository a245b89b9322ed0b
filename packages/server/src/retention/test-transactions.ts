import { transactions as catalogTransactions } from '../catalog/test-transactions.ts';
import { defineTransaction } from '../platform/database/index.ts';
import { retentionTransactions } from './transactions.ts';

/** Tags that were last updated at the given times, by name. */
export const ageTags = defineTransaction(
  'test.age-tags',
  async (tx, { updatedAt, step }: { readonly updatedAt: number; readonly step: number }) => {
    const tags = await tx.selectFrom('tags').select(['repository_id', 'name']).orderBy('name').execute();
    for (const [at, { repository_id, name }] of tags.entries()) {
      await tx
        .updateTable('tags')
        .set({ updated_at: updatedAt + at * step })
        .where('repository_id', '=', repository_id)
        .where('name', '=', name)
        .execute();
    }
  },
);

export const transactions = [...catalogTransactions, ...retentionTransactions, ageTags];
