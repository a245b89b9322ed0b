import { type TransactionDefinition, defineTransaction, lockRows } from '../platform/database/index.ts';
import type { AdminPasswordRow } from '../platform/database/index.ts';

export interface PutPassword extends Omit<AdminPasswordRow, 'created_at'> {
  readonly username: string;
  readonly now: number;
}

/** Sets one admin password, makes and enables the admin user if need be, and ends every token and sign-in before it. */
export const putPassword = defineTransaction('access.put-password', async (tx, input: PutPassword): Promise<number> => {
  const admin = await lockRows(tx.selectFrom('admin_users').select('generation').where('registry_id', '=', input.registry_id)).executeTakeFirst();
  const generation = (admin?.generation ?? 0) + 1;
  if (admin === undefined) {
    await tx.insertInto('admin_users').values({ registry_id: input.registry_id, username: input.username, is_enabled: 1, generation }).execute();
  } else {
    await tx.updateTable('admin_users').set({ is_enabled: 1, generation }).where('registry_id', '=', input.registry_id).execute();
  }
  const { scheme, verifier } = input;
  await tx
    .insertInto('admin_passwords')
    .values({ registry_id: input.registry_id, slot: input.slot, scheme, verifier, created_at: input.now })
    .onConflict((conflict) => conflict.columns(['registry_id', 'slot']).doUpdateSet({ scheme, verifier, created_at: input.now }))
    .execute();
  return generation;
});

export const accessTransactions: readonly TransactionDefinition<never, unknown>[] = [putPassword];
