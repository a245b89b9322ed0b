import { type TransactionDefinition, defineTransaction } from '../database/database.ts';
import { lockFreeRows } from '../database/lock-rows.ts';

const deltasPerFold = 2000;

/** Adds some of what came and went to the totals. True when there is more. Two processes take different rows. */
export const foldStored = defineTransaction('stored-bytes.fold', async (tx): Promise<boolean> => {
  const rows = await lockFreeRows(
    tx.selectFrom('stored_deltas').select(['id', 'registry_id', 'bytes', 'blobs']).orderBy('id').limit(deltasPerFold),
  ).execute();
  if (rows.length === 0) return false;
  const totals = new Map<number, { bytes: number; blobs: number }>();
  for (const { registry_id, bytes, blobs } of rows) {
    const total = totals.get(registry_id) ?? { bytes: 0, blobs: 0 };
    total.bytes += bytes;
    total.blobs += blobs;
    totals.set(registry_id, total);
  }
  // In one order, so that two of these do not wait for each other.
  for (const [registry_id, { bytes, blobs }] of [...totals].toSorted(([a], [b]) => a - b)) {
    await tx
      .insertInto('stored_bytes')
      .values({ registry_id, bytes, blobs })
      .onConflict((conflict) =>
        conflict
          .column('registry_id')
          .doUpdateSet((eb) => ({ bytes: eb('stored_bytes.bytes', '+', bytes), blobs: eb('stored_bytes.blobs', '+', blobs) })),
      )
      .execute();
  }
  await tx
    .deleteFrom('stored_deltas')
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    )
    .execute();
  return rows.length === deltasPerFold;
});

export const storedBytesTransactions: readonly TransactionDefinition<never, unknown>[] = [foldStored];
