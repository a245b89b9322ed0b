import { defineTransaction } from '../database/database.ts';
import { keyTransactions } from './transactions.ts';

/** What the tests of keys need beside them: a module of its own, because SQLite's writer thread imports it. */

export const addRegistry = defineTransaction(
  'test.add-registry',
  async (tx, input: { readonly name: string }): Promise<number> => {
    const { id } = await tx
      .insertInto('registries')
      .values({ name: input.name, anonymous_pull: 0, created_at: 0 })
      .returning('id')
      .executeTakeFirstOrThrow();
    return id;
  },
);

/** Damages a wrapped key, as a wrong backup would. */
export const replaceWrapped = defineTransaction(
  'test.replace-wrapped',
  async (tx, input: { readonly id: string; readonly wrapped: Uint8Array }): Promise<void> => {
    await tx.updateTable('data_keys').set({ wrapped_key: input.wrapped }).where('id', '=', input.id).execute();
  },
);

export const transactions = [...keyTransactions, addRegistry, replaceWrapped];
