import { type TransactionDefinition, defineTransaction } from '../database/database.ts';
import type { DataKeyRow, SigningKeyRow } from '../database/tables.ts';

/** Adds a data key and makes it the one that seals new content. */
export const addDataKey = defineTransaction('keys.add-data-key', async (tx, input: Omit<DataKeyRow, 'is_current'>): Promise<void> => {
  await tx.updateTable('data_keys').set({ is_current: 0 }).where('registry_id', '=', input.registry_id).where('is_current', '=', 1).execute();
  await tx.insertInto('data_keys').values({ ...input, is_current: 1 }).execute();
});

/** Adds a signing key and makes it the one that signs. */
export const addSigningKey = defineTransaction('keys.add-signing-key', async (tx, input: Omit<SigningKeyRow, 'is_current'>): Promise<void> => {
  await tx.updateTable('signing_keys').set({ is_current: 0 }).where('is_current', '=', 1).execute();
  await tx.insertInto('signing_keys').values({ ...input, is_current: 1 }).execute();
});

export interface Rewrapped {
  readonly dataKeys: readonly { readonly id: string; readonly wrapped: Uint8Array }[];
  readonly signingKeys: readonly { readonly id: string; readonly wrapped: Uint8Array }[];
  readonly toKeyId: string;
}

/** Puts keys wrapped by the new wrapping key in the place of the old; all or none. Returns how many rows are left under old ones. */
export const rewrapKeys = defineTransaction('keys.rewrap', async (tx, input: Rewrapped): Promise<number> => {
  for (const { id, wrapped } of input.dataKeys) {
    await tx.updateTable('data_keys').set({ wrapped_key: wrapped, wrapping_key_id: input.toKeyId }).where('id', '=', id).execute();
  }
  for (const { id, wrapped } of input.signingKeys) {
    await tx.updateTable('signing_keys').set({ wrapped_private_key: wrapped, wrapping_key_id: input.toKeyId }).where('id', '=', id).execute();
  }
  const data = await tx.selectFrom('data_keys').select('id').where('wrapping_key_id', '!=', input.toKeyId).execute();
  const signing = await tx.selectFrom('signing_keys').select('id').where('wrapping_key_id', '!=', input.toKeyId).execute();
  return data.length + signing.length;
});

export const keyTransactions: readonly TransactionDefinition<never, unknown>[] = [addDataKey, addSigningKey, rewrapKeys];
