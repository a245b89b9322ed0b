import { type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';
import { linkBlob } from './link-blob.ts';

export interface CommitUpload {
  readonly registryId: number;
  readonly repositoryId: number;
  readonly uploadId: string;
  readonly version: number;
  readonly digest: string;
  readonly sizeBytes: number;
  /** The durable part that came with this request, if one did: the upload's reserved part. */
  readonly finalPart: { readonly name: string; readonly sizeBytes: number } | undefined;
  /** Whether the reserved part surely has no object: then its row goes, and nothing is left to collect. */
  readonly isReservedUntouched: boolean;
  readonly now: number;
  /** When collection should look whether a manifest came to use the blob (ms). */
  readonly dueAt: number;
}

/**
 * Binds an upload's parts to its digest and lets the repository read it: the moment in which a blob comes to be. When
 * the registry has the digest already the old parts stay and the new become garbage, unless the old are damaged: then
 * the push repairs them. False when the upload changed or ended meanwhile.
 */
export const commitUpload = defineTransaction('blobs.commit-upload', async (tx, input: CommitUpload): Promise<boolean> => {
  const upload = await lockRows(tx.selectFrom('uploads').select('id').where('id', '=', input.uploadId).where('version', '=', input.version)).executeTakeFirst();
  if (upload === undefined) return false;
  if (input.finalPart !== undefined) {
    await tx.updateTable('parts').set({ size_bytes: input.finalPart.sizeBytes }).where('name', '=', input.finalPart.name).execute();
  }
  const { blobId, isNew } = await ensureBlob(tx, input);
  if (isNew) await bindParts(tx, input.uploadId, blobId);
  else if (await isDamaged(tx, blobId)) {
    await release(tx, blobId, input.now);
    await bindParts(tx, input.uploadId, blobId);
  }
  await discardRest(tx, input);
  await tx.deleteFrom('uploads').where('id', '=', input.uploadId).execute();
  await linkBlob(tx, { repositoryId: input.repositoryId, blobId, now: input.now, dueAt: input.dueAt });
  return true;
});

async function ensureBlob(tx: WriteQueries, input: CommitUpload): Promise<{ readonly blobId: number; readonly isNew: boolean }> {
  const inserted = await tx
    .insertInto('blobs')
    .values({ registry_id: input.registryId, digest: input.digest, size_bytes: input.sizeBytes, created_at: input.now })
    .onConflict((conflict) => conflict.columns(['registry_id', 'digest']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted !== undefined) return { blobId: inserted.id, isNew: true };
  const existing = await lockRows(tx.selectFrom('blobs').select('id').where('registry_id', '=', input.registryId).where('digest', '=', input.digest)).executeTakeFirst();
  // On PostgreSQL collection may have taken it between the two statements; a second try then inserts it.
  return existing === undefined ? ensureBlob(tx, input) : { blobId: existing.id, isNew: false };
}

async function bindParts(tx: WriteQueries, uploadId: string, blobId: number): Promise<void> {
  await tx.updateTable('parts').set({ upload_id: null, blob_id: blobId }).where('upload_id', '=', uploadId).where('size_bytes', 'is not', null).execute();
}

async function isDamaged(tx: WriteQueries, blobId: number): Promise<boolean> {
  const row = await tx.selectFrom('damage').innerJoin('parts', 'parts.name', 'damage.part_name').select('parts.name').where('parts.blob_id', '=', blobId).limit(1).executeTakeFirst();
  return row !== undefined;
}

/** Turns a blob's parts into garbage; their damage goes with them. */
async function release(tx: WriteQueries, blobId: number, now: number): Promise<void> {
  const old = await tx.updateTable('parts').set({ blob_id: null }).where('blob_id', '=', blobId).returning('name').execute();
  for (const { name } of old) await addCandidate(tx, 'part', name, now);
  const names = old.map((part) => part.name);
  if (names.length > 0) await tx.deleteFrom('damage').where('part_name', 'in', names).execute();
}

async function discardRest(tx: WriteQueries, input: CommitUpload): Promise<void> {
  if (input.isReservedUntouched) await tx.deleteFrom('parts').where('upload_id', '=', input.uploadId).where('size_bytes', 'is', null).execute();
  const rest = await tx.updateTable('parts').set({ upload_id: null }).where('upload_id', '=', input.uploadId).returning('name').execute();
  for (const { name } of rest) await addCandidate(tx, 'part', name, input.now);
}
