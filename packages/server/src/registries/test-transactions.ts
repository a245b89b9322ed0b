import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';
import { registryTransactions } from './transactions.ts';

/** What the tests of registries need beside their own: a module, because SQLite's writer thread imports it. */

/** Entries of the log and registers, as many of each. */
export const noteFacts = defineTransaction(
  'test.note-facts',
  async (tx, { registryId, count }: { readonly registryId: number; readonly count: number }): Promise<void> => {
    for (let each = 0; each < count; each += 1) {
      const name = `tag${each}`;
      const fact = JSON.stringify({ kind: 'tag', repository: 'app', name });
      await tx
        .insertInto('changes')
        .values({
          registry_id: registryId,
          clock: each + 1,
          origin: 'here',
          action: 'tag',
          repository: 'app',
          fact,
          is_visible: 1,
          created_at: 1,
        })
        .execute();
      await tx
        .insertInto('registers')
        .values({
          registry_id: registryId,
          repository: `app${each % 3}`,
          kind: 'tag',
          name,
          set_clock: each + 1,
          set_origin: 'here',
          digest: null,
          deleted_clock: 0,
          deleted_origin: '',
          attributes: '{}',
        })
        .execute();
    }
  },
);

export const transactions: readonly TransactionDefinition<never, unknown>[] = [...registryTransactions, noteFacts];
