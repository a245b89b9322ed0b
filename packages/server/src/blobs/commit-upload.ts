import { type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { isBlobDamaged } from '../platform/damage/index.ts';
import { addStored, requireRoom } from '../platform/stored-bytes/index.ts';
import { endUpload, freeParts } from './free-parts.ts';
import { linkBlob } from './link-blob.ts';

export interface CommitUpload {
  readonly registryId: number;
  readonly repositoryId: number;
  readonly uploadId: string;
  readonly version: number;
  readonly digest: string;
  readonly sizeBytes: number;
  /** What the registry may store. */
  readonly limitBytes: number | undefined;
  /** The durable part that came with this request, if one did: the upload's reserved part. */
  readonly finalPart: { readonly name: string; readonly sizeBytes: number } | undefined;
  /** The reserved part when it surely has no object. */
  readonly untouchedPart: string | undefined;
  readonly now: number;
  /** When collection should look whether a manifest came to use the blob (ms). */
  readonly dueAt: number;
}

/**
 * Binds an upload's parts to its digest and lets the repository read it: the moment in which a blob comes to be. When
 * the registry has the digest already the old parts stay and the new become garbage, unless the old are damaged: then
 * the push repairs them. False when the upload changed or ended meanwhile, or its repository was deleted.
 * @throws REGISTRY_DISALLOWED_OPERATION when the registry has no room for it
 */
export const commitUpload = defineTransaction('blobs.commit-upload', async (tx, input: CommitUpload): Promise<boolean> => {
  if (!(await holdRepository(tx, input.repositoryId))) return false;
  const upload = await lockRows(
    tx.selectFrom('uploads').select('id').where('id', '=', input.uploadId).where('version', '=', input.version),
  ).executeTakeFirst();
  if (upload === undefined) return false;
  if (input.finalPart !== undefined) {
    const { name, sizeBytes } = input.finalPart;
    await tx.updateTable('parts').set({ size_bytes: sizeBytes }).where('name', '=', name).execute();
  }
  const { blobId, isNew } = await ensureBlob(tx, input);
  if (isNew) await addStored(tx, input.registryId, input.sizeBytes);
  if (isNew || (await releaseDamaged(tx, blobId, input.now))) await bindParts(tx, input.uploadId, blobId);
  await endUpload(tx, input);
  await linkBlob(tx, { repositoryId: input.repositoryId, blobId, now: input.now, dueAt: input.dueAt });
  return true;
});

/** `FOR KEY SHARE`: the collector of a deleted repository waits for us, or we see that it was deleted. */
async function holdRepository(tx: WriteQueries, repositoryId: number): Promise<boolean> {
  const row = await tx
    .selectFrom('repositories')
    .select('id')
    .where('id', '=', repositoryId)
    .where('deleted_at', 'is', null)
    .forKeyShare()
    .executeTakeFirst();
  return row !== undefined;
}

async function ensureBlob(tx: WriteQueries, input: CommitUpload): Promise<{ readonly blobId: number; readonly isNew: boolean }> {
  for (;;) {
    const inserted = await tx
      .insertInto('blobs')
      .values({
        registry_id: input.registryId,
        digest: input.digest,
        size_bytes: input.sizeBytes,
        created_at: input.now,
      })
      .onConflict((conflict) => conflict.columns(['registry_id', 'digest']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (inserted !== undefined) {
      const { registryId, sizeBytes, limitBytes } = input;
      if (limitBytes !== undefined) await requireRoom(tx, { registryId, sizeBytes, limitBytes });
      return { blobId: inserted.id, isNew: true };
    }
    const existing = await tx
      .selectFrom('blobs')
      .select('id')
      .where('registry_id', '=', input.registryId)
      .where('digest', '=', input.digest)
      .forKeyShare()
      .executeTakeFirst();
    // On PostgreSQL collection may have taken it between the two statements; the next round inserts it.
    if (existing !== undefined) return { blobId: existing.id, isNew: false };
  }
}

async function bindParts(tx: WriteQueries, uploadId: string, blobId: number): Promise<void> {
  await tx
    .updateTable('parts')
    .set({ upload_id: null, blob_id: blobId })
    .where('upload_id', '=', uploadId)
    .where('size_bytes', 'is not', null)
    .execute();
}

/** Turns the parts of a damaged blob into garbage, and their damage is forgotten. False when it is sound. */
async function releaseDamaged(tx: WriteQueries, blobId: number, now: number): Promise<boolean> {
  if (!(await isBlobDamaged(tx, blobId))) return false;
  // Of two pushes that find the damage, one repairs it; the other waits here and then finds it sound.
  await lockRows(tx.selectFrom('blobs').select('id').where('id', '=', blobId)).execute();
  if (!(await isBlobDamaged(tx, blobId))) return false;
  const old = await tx
    .updateTable('parts')
    .set({ blob_id: null })
    .where('blob_id', '=', blobId)
    .returning(['name', 'size_bytes'])
    .execute();
  await freeParts(tx, old, now);
  await tx
    .deleteFrom('damage')
    .where(
      'part_name',
      'in',
      old.map((part) => part.name),
    )
    .execute();
  return true;
}
