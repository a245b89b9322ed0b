import { type TransactionDefinition, type WriteQueries, defineTransaction, lockRows } from '../database/index.ts';
import type { DataKeyRow, SigningKeyRow } from '../database/tables.ts';

/** A key, and the wrapping keys that whoever wrapped it knows of. */
export interface NewKey<Row> {
  readonly row: Omit<Row, 'is_current'>;
  readonly knownWrappingKeys: readonly string[];
}

/**
 * Adds a data key and makes it the one that seals new content. False, and nothing added, when rows lie under a wrapping
 * key that the caller does not know: another process has rotated, and what the caller wraps by would be dropped.
 */
export const addDataKey = defineTransaction(
  'keys.add-data-key',
  async (tx, { row, knownWrappingKeys }: NewKey<DataKeyRow>): Promise<boolean> => {
    await lockRows(tx.selectFrom('registries').select('id').where('id', '=', row.registry_id)).execute();
    if (await isOutdated(tx, knownWrappingKeys)) return false;
    await tx
      .updateTable('data_keys')
      .set({ is_current: 0 })
      .where('registry_id', '=', row.registry_id)
      .where('is_current', '=', 1)
      .execute();
    await tx
      .insertInto('data_keys')
      .values({ ...row, is_current: 1 })
      .execute();
    return true;
  },
);

/** Adds a signing key and makes it the one that signs. False as for data keys. */
export const addSigningKey = defineTransaction(
  'keys.add-signing-key',
  async (tx, { row, knownWrappingKeys }: NewKey<SigningKeyRow>): Promise<boolean> => {
    await lockRows(tx.selectFrom('registries').select('id').orderBy('id').limit(1)).execute();
    if (await isOutdated(tx, knownWrappingKeys)) return false;
    await tx.updateTable('signing_keys').set({ is_current: 0 }).where('is_current', '=', 1).execute();
    await tx
      .insertInto('signing_keys')
      .values({ ...row, is_current: 1 })
      .execute();
    return true;
  },
);

/** Adds a signing key where there is none: of processes that start together, one makes it. False as for data keys. */
export const addFirstSigningKey = defineTransaction(
  'keys.add-first-signing-key',
  async (tx, { row, knownWrappingKeys }: NewKey<SigningKeyRow>): Promise<boolean> => {
    await lockRows(tx.selectFrom('registries').select('id').orderBy('id').limit(1)).execute();
    if (await isOutdated(tx, knownWrappingKeys)) return false;
    // There is one current key at the most, by an index.
    await tx
      .insertInto('signing_keys')
      .values({ ...row, is_current: 1 })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return true;
  },
);

export interface RewrappedKey {
  readonly id: string;
  readonly fromKeyId: string;
  readonly wrapped: Uint8Array;
}

export interface Rewrapped {
  readonly dataKeys: readonly RewrappedKey[];
  readonly signingKeys: readonly RewrappedKey[];
  readonly toKeyId: string;
}

/** Puts keys wrapped by the new wrapping key in the place of the old, all or none. Returns the other wrapping keys that rows still need. */
export const rewrapKeys = defineTransaction(
  'keys.rewrap',
  async (tx, { dataKeys, signingKeys, toKeyId }: Rewrapped): Promise<string[]> => {
    // The lock that adding a key takes: a key that is added now waits, and then sees that it was wrapped by the old one.
    await lockRows(tx.selectFrom('registries').select('id').orderBy('id')).execute();
    for (const { id, fromKeyId, wrapped } of dataKeys) {
      await tx
        .updateTable('data_keys')
        .set({ wrapped_key: wrapped, wrapping_key_id: toKeyId })
        .where('id', '=', id)
        .where('wrapping_key_id', '=', fromKeyId)
        .execute();
    }
    for (const { id, fromKeyId, wrapped } of signingKeys) {
      await tx
        .updateTable('signing_keys')
        .set({ wrapped_private_key: wrapped, wrapping_key_id: toKeyId })
        .where('id', '=', id)
        .where('wrapping_key_id', '=', fromKeyId)
        .execute();
    }
    return (await wrappingKeysInUse(tx)).filter((id) => id !== toKeyId);
  },
);

async function isOutdated(tx: WriteQueries, knownWrappingKeys: readonly string[]): Promise<boolean> {
  return (await wrappingKeysInUse(tx)).some((id) => !knownWrappingKeys.includes(id));
}

async function wrappingKeysInUse(tx: WriteQueries): Promise<string[]> {
  const rows = await tx
    .selectFrom('data_keys')
    .select('wrapping_key_id')
    .union(tx.selectFrom('signing_keys').select('wrapping_key_id'))
    .execute();
  return rows.map((row) => row.wrapping_key_id);
}

export const keyTransactions: readonly TransactionDefinition<never, unknown>[] = [
  addDataKey,
  addSigningKey,
  addFirstSigningKey,
  rewrapKeys,
];
