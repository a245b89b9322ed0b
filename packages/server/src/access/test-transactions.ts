import { defineTransaction } from '../platform/database/database.ts';
import { keyTransactions } from '../platform/keys/transactions.ts';
import { registryTransactions } from '../registries/transactions.ts';
import { accessTransactions } from './transactions.ts';

/** What the tests of access need beside its own: a module, because SQLite's writer thread imports it. */

export const disableAdmin = defineTransaction('test.disable-admin', async (tx): Promise<void> => {
  await tx
    .updateTable('admin_users')
    .set(({ eb }) => ({ is_enabled: 0, generation: eb('generation', '+', 1) }))
    .execute();
});

export const transactions = [...keyTransactions, ...registryTransactions, ...accessTransactions, disableAdmin];
