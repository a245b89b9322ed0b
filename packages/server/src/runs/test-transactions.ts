import { defineTransaction } from '../platform/database/database.ts';
import { keyTransactions } from '../platform/keys/transactions.ts';
import { runsTransactions } from './transactions.ts';

/** What the tests of runs need beside their own: a module, because SQLite's writer thread imports it. */

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { readonly name: string }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0 };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

export const deleteRegistry = defineTransaction('test.delete-registry', async (tx, input: { readonly id: number }) => {
  await tx.updateTable('registries').set({ deleted_at: 1 }).where('id', '=', input.id).execute();
});

export interface TestKey {
  readonly id: string;
  readonly registryId: number;
  readonly agentPool: string | null;
  readonly isShared: boolean;
}

export const addKey = defineTransaction('test.add-key', async (tx, { id, registryId, agentPool, isShared }: TestKey) => {
  await tx
    .insertInto('machine_keys')
    .values({
      id,
      registry_id: registryId,
      kind: 'agent',
      name: id,
      verifier: 'none',
      agent_pool: agentPool,
      is_shared: isShared ? 1 : 0,
      access: '[]',
      created_at: 0,
      expires_at: null,
    })
    .execute();
});

export const transactions = [...keyTransactions, ...runsTransactions, addRegistry, deleteRegistry, addKey];
