import { type TransactionDefinition, defineTransaction } from '../database/database.ts';

export interface DamagedPart {
  readonly name: string;
  /** For the operator: what is wrong with it. */
  readonly reason: string;
  readonly now: number;
}

/** Remembers that a part does not open. False when nothing needs the part any more: then it was deleted, not damaged. */
export const recordDamage = defineTransaction('damage.record', async (tx, input: DamagedPart): Promise<boolean> => {
  const part = await tx
    .selectFrom('parts')
    .leftJoin('blobs', 'blobs.id', 'parts.blob_id')
    .select(['parts.registry_id', 'blobs.digest'])
    .where('parts.name', '=', input.name)
    .where((eb) => eb.or([eb('parts.blob_id', 'is not', null), eb('parts.upload_id', 'is not', null)]))
    .executeTakeFirst();
  if (part === undefined) return false;
  await tx
    .insertInto('damage')
    .values({
      part_name: input.name,
      registry_id: part.registry_id,
      blob_digest: part.digest,
      reason: input.reason,
      found_at: input.now,
    })
    .onConflict((conflict) => conflict.column('part_name').doUpdateSet({ reason: input.reason, blob_digest: part.digest }))
    .execute();
  return true;
});

/** The part opens again: its file came back from a backup. */
export const clearDamage = defineTransaction('damage.clear', async (tx, input: { readonly name: string }): Promise<void> => {
  await tx.deleteFrom('damage').where('part_name', '=', input.name).execute();
});

export const damageTransactions: readonly TransactionDefinition<never, unknown>[] = [recordDamage, clearDamage];
