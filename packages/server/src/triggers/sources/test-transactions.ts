import { defineTransaction } from '../../platform/database/database.ts';
import { keyTransactions } from '../../platform/keys/transactions.ts';
import { runsTransactions } from '../../runs/transactions.ts';
import { sourceTriggerTransactions } from './transactions.ts';

/** What the tests of source triggers need: a module, because SQLite's writer thread imports it. */

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { readonly name: string }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0 };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

export const transactions = [...keyTransactions, ...runsTransactions, ...sourceTriggerTransactions, addRegistry];
