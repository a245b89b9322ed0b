import { defineTransaction } from '../platform/database/index.ts';
import { ensureRepository } from './queries.ts';

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { name: string }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0 };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

export const ensure = defineTransaction('test.ensure', (tx, input: { registryId: number; name: string; now: number }) =>
  ensureRepository(tx, input.registryId, input.name, input.now),
);

export const markDeleted = defineTransaction('test.mark-deleted', async (tx, input: { id: number }) => {
  await tx.updateTable('repositories').set({ deleted_at: 9 }).where('id', '=', input.id).execute();
});

export const transactions = [addRegistry, ensure, markDeleted];
