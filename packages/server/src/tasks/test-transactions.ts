import type { Insertable } from 'kysely';
import { type TaskBaseImageRow, defineTransaction } from '../platform/database/index.ts';
import { keyTransactions } from '../platform/keys/transactions.ts';
import { registryTransactions } from '../registries/transactions.ts';
import { resourceTransactions } from '../resources/transactions.ts';
import { taskTransactions } from './transactions.ts';

/** What the tests of tasks need beside their own: a module, because SQLite's writer thread imports it. */

export const addBaseImage = defineTransaction(
  'test.add-base-image',
  async (tx, row: Insertable<TaskBaseImageRow>): Promise<void> => {
    await tx.insertInto('task_base_images').values(row).execute();
  },
);

export const transactions = [
  ...keyTransactions,
  ...registryTransactions,
  ...resourceTransactions,
  ...taskTransactions,
  addBaseImage,
];
