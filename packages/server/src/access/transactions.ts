import { machineTransactions } from './machines/transactions.ts';
import { tokenTransactions } from './token-transactions.ts';
import { createOwner } from './owner-transaction.ts';
import type { AdminPasswordRow } from '../platform/database/index.ts';
import { type TransactionDefinition, defineTransaction, lockRows } from '../platform/database/index.ts';

export interface PutPassword extends Omit<AdminPasswordRow, 'created_at'> {
  readonly username: string;
  readonly now: number;
  /** Leave a password alone that is there already: another process was faster. */
  readonly isOnlyIfMissing: boolean;
}

/**
 * Sets one admin password; makes and enables the admin user if need be. What was signed in with the password before
 * ends, what was signed in with the other one does not. Returns whether it was set.
 */
export const putPassword = defineTransaction('access.put-password', async (tx, input: PutPassword): Promise<boolean> => {
  const { registry_id, slot, scheme, verifier, sealed_value, data_key_id } = input;
  await tx
    .insertInto('admin_users')
    .values({ registry_id, username: input.username, is_enabled: 1, generation: 1 })
    .onConflict((conflict) => conflict.column('registry_id').doNothing())
    .execute();
  const admin = await lockRows(
    tx.selectFrom('admin_users').select(['is_enabled', 'generation']).where('registry_id', '=', registry_id),
  ).executeTakeFirstOrThrow();
  const before = await tx
    .selectFrom('admin_passwords')
    .select('created_at')
    .where('registry_id', '=', registry_id)
    .where('slot', '=', slot)
    .executeTakeFirst();
  if (input.isOnlyIfMissing && before !== undefined) return false;
  if (admin.is_enabled === 0) {
    // Tokens from before it was disabled must not come back to life (attack 22).
    await tx
      .updateTable('admin_users')
      .set({ is_enabled: 1, generation: admin.generation + 1 })
      .where('registry_id', '=', registry_id)
      .execute();
  }
  // Tokens name their password by this time: it grows, whatever the clock says.
  const created_at = Math.max(input.now, (before?.created_at ?? 0) + 1);
  await tx
    .insertInto('admin_passwords')
    .values({ registry_id, slot, scheme, verifier, created_at, sealed_value, data_key_id })
    .onConflict((conflict) =>
      conflict.columns(['registry_id', 'slot']).doUpdateSet({ scheme, verifier, created_at, sealed_value, data_key_id }),
    )
    .execute();
  return true;
});

/** Lets the admin user sign in again; what was signed in with it before it was disabled stays ended (attack 22). */
export const enableAdmin = defineTransaction('access.enable-admin', async (tx, registryId: number): Promise<void> => {
  await tx
    .updateTable('admin_users')
    .set((eb) => ({ is_enabled: 1, generation: eb('generation', '+', 1) }))
    .where('registry_id', '=', registryId)
    .where('is_enabled', '=', 0)
    .execute();
});

export const disableAdmin = defineTransaction('access.disable-admin', async (tx, registryId: number): Promise<void> => {
  await tx
    .updateTable('admin_users')
    .set((eb) => ({ is_enabled: 0, generation: eb('generation', '+', 1) }))
    .where('registry_id', '=', registryId)
    .execute();
});

export const accessTransactions: readonly TransactionDefinition<never, unknown>[] = [
  putPassword,
  enableAdmin,
  disableAdmin,
  createOwner,
  ...tokenTransactions,
  ...machineTransactions,
];
