import { blobTransactions } from '../blobs/index.ts';
import { catalogTransactions } from '../catalog/index.ts';
import { defineTransaction } from '../platform/database/index.ts';
import { keyTransactions } from '../platform/keys/index.ts';

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { name: string }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0 };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

export const lockTag = defineTransaction('test.lock-tag', async (tx, input: { name: string }) => {
  await tx.updateTable('tags').set({ write_enabled: 0 }).where('name', '=', input.name).execute();
});

export const transactions = [...keyTransactions, ...blobTransactions, ...catalogTransactions, addRegistry, lockTag];
