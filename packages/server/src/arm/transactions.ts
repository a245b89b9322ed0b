import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';

export interface PutGroup {
  readonly name: string;
  readonly location: string;
  readonly tags: string;
  readonly now: number;
}

/** Makes a resource group, or replaces its tags; its location stays what it was. Whether it is new. */
export const putGroup = defineTransaction(
  'arm.put-group',
  async (tx, { name, location, tags, now }: PutGroup): Promise<boolean> => {
    const made = await tx
      .insertInto('resource_groups')
      .values({ name, name_key: name.toLowerCase(), location, tags, created_at: now })
      .onConflict((conflict) => conflict.column('name_key').doNothing())
      .returning('name')
      .execute();
    if (made.length > 0) return true;
    await tx.updateTable('resource_groups').set({ tags }).where('name_key', '=', name.toLowerCase()).execute();
    return false;
  },
);

export type DeletedGroup = 'deleted' | 'absent' | 'in-use';

/** Deletes a group that holds no registry. */
export const deleteGroup = defineTransaction('arm.delete-group', async (tx, name: string): Promise<DeletedGroup> => {
  const used = await tx
    .selectFrom('registries')
    .select('id')
    .where((eb) => eb(eb.fn('lower', ['resource_group']), '=', name.toLowerCase()))
    .where('deleted_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (used !== undefined) return 'in-use';
  const deleted = await tx.deleteFrom('resource_groups').where('name_key', '=', name.toLowerCase()).returning('name').execute();
  return deleted.length > 0 ? 'deleted' : 'absent';
});

export const armTransactions: readonly TransactionDefinition<never, unknown>[] = [putGroup, deleteGroup];
