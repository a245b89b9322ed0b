import { type TransactionDefinition, type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';
import { ensureRepository, findRepositoryId } from '../repositories/index.ts';
import { collections } from './collect.ts';
import { commitUpload } from './commit-upload.ts';
import { linkBlob } from './link-blob.ts';
import type { ReservedPart } from './model.ts';

export interface BeginUpload {
  readonly registryId: number;
  readonly repository: string;
  readonly uploadId: string;
  readonly principal: string;
  readonly algorithm: string;
  readonly part: ReservedPart;
  readonly now: number;
}

/** Opens a session and reserves its first part. */
export const beginUpload = defineTransaction('blobs.begin-upload', async (tx, input: BeginUpload): Promise<{ readonly repositoryId: number }> => {
  const repositoryId = await ensureRepository(tx, input.registryId, input.repository, input.now);
  await tx
    .insertInto('uploads')
    .values({
      id: input.uploadId,
      repository_id: repositoryId,
      principal: input.principal,
      algorithm: input.algorithm,
      received_bytes: 0,
      version: 0,
      created_at: input.now,
      updated_at: input.now,
    })
    .execute();
  await reserve(tx, { registryId: input.registryId, uploadId: input.uploadId, position: 0, part: input.part, now: input.now });
  return { repositoryId };
});

export interface KeepPart {
  readonly registryId: number;
  readonly uploadId: string;
  readonly version: number;
  readonly name: string;
  readonly position: number;
  readonly sizeBytes: number;
  readonly next: ReservedPart;
  readonly now: number;
}

/** Counts a durable part and reserves the next. False when another writer or a cancel came first: then nothing changes. */
export const keepPart = defineTransaction('blobs.keep-part', async (tx, input: KeepPart): Promise<boolean> => {
  if (!(await advance(tx, input, input.sizeBytes))) return false;
  await tx.updateTable('parts').set({ size_bytes: input.sizeBytes }).where('name', '=', input.name).execute();
  await reserve(tx, { registryId: input.registryId, uploadId: input.uploadId, position: input.position + 1, part: input.next, now: input.now });
  return true;
});

export type ReplacePart = Omit<KeepPart, 'sizeBytes'>;

/** Gives up a reserved part whose object a crash or another writer left behind, and reserves another in its place. */
export const replacePart = defineTransaction('blobs.replace-part', async (tx, input: ReplacePart): Promise<boolean> => {
  if (!(await advance(tx, input, 0))) return false;
  await tx.updateTable('parts').set({ upload_id: null }).where('name', '=', input.name).execute();
  await addCandidate(tx, 'part', input.name, input.now);
  await reserve(tx, { registryId: input.registryId, uploadId: input.uploadId, position: input.position, part: input.next, now: input.now });
  return true;
});

/** Ends a session without a blob: its parts become garbage. False when it is gone already. */
export const dropUpload = defineTransaction('blobs.drop-upload', async (tx, input: { readonly uploadId: string; readonly now: number; readonly idleSince?: number }): Promise<boolean> => {
  const upload = await lockRows(tx.selectFrom('uploads').select(['id', 'updated_at']).where('id', '=', input.uploadId)).executeTakeFirst();
  if (upload === undefined) return false;
  // An upload that was found idle may have gone on meanwhile.
  if (input.idleSince !== undefined && upload.updated_at >= input.idleSince) return false;
  const parts = await tx.updateTable('parts').set({ upload_id: null }).where('upload_id', '=', input.uploadId).returning('name').execute();
  for (const { name } of parts) await addCandidate(tx, 'part', name, input.now);
  await tx.deleteFrom('uploads').where('id', '=', input.uploadId).execute();
  return true;
});

export interface MountBlob {
  readonly registryId: number;
  readonly digest: string;
  readonly source: string;
  readonly target: string;
  readonly now: number;
  readonly dueAt: number;
}

/** Lets a repository read a blob that another one has. False when the source does not have it. */
export const mountBlob = defineTransaction('blobs.mount', async (tx, input: MountBlob): Promise<boolean> => {
  const sourceId = await findRepositoryId(tx, input.registryId, input.source);
  if (sourceId === undefined) return false;
  const blob = await lockRows(tx.selectFrom('blobs').select('id').where('registry_id', '=', input.registryId).where('digest', '=', input.digest)).executeTakeFirst();
  if (blob === undefined) return false;
  const link = await tx.selectFrom('repository_blobs').select('blob_id').where('repository_id', '=', sourceId).where('blob_id', '=', blob.id).executeTakeFirst();
  if (link === undefined) return false;
  const targetId = await ensureRepository(tx, input.registryId, input.target, input.now);
  await linkBlob(tx, { repositoryId: targetId, blobId: blob.id, now: input.now, dueAt: input.dueAt });
  return true;
});

export interface UnlinkBlob {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly now: number;
}

/** Takes a blob out of a repository unless a manifest there needs it. */
export const unlinkBlob = defineTransaction('blobs.unlink', async (tx, input: UnlinkBlob): Promise<'unknown' | 'in-use' | 'unlinked'> => {
  const repositoryId = await findRepositoryId(tx, input.registryId, input.repository);
  if (repositoryId === undefined) return 'unknown';
  const link = await lockRows(
    tx
      .selectFrom('repository_blobs')
      .select('blob_id')
      .where('repository_id', '=', repositoryId)
      .where('blob_id', 'in', (eb) => eb.selectFrom('blobs').select('id').where('registry_id', '=', input.registryId).where('digest', '=', input.digest)),
  ).executeTakeFirst();
  if (link === undefined) return 'unknown';
  const user = await tx.selectFrom('manifest_blobs').select('manifest_id').where('repository_id', '=', repositoryId).where('blob_id', '=', link.blob_id).limit(1).executeTakeFirst();
  if (user !== undefined) return 'in-use';
  await tx.deleteFrom('repository_blobs').where('repository_id', '=', repositoryId).where('blob_id', '=', link.blob_id).execute();
  await addCandidate(tx, 'blob', String(link.blob_id), input.now);
  return 'unlinked';
});

export interface PartDamage {
  readonly name: string;
  readonly registryId: number;
  readonly digest: string;
  readonly reason: string;
  readonly now: number;
}

/** Remembers that a part does not open, so that a new push of its blob replaces it. */
export const recordDamage = defineTransaction('blobs.record-damage', async (tx, input: PartDamage): Promise<void> => {
  const part = await tx.selectFrom('parts').select('name').where('name', '=', input.name).where('blob_id', 'is not', null).executeTakeFirst();
  if (part === undefined) return;
  await tx
    .insertInto('damage')
    .values({ part_name: input.name, registry_id: input.registryId, blob_digest: input.digest, reason: input.reason, found_at: input.now })
    .onConflict((conflict) => conflict.column('part_name').doUpdateSet({ reason: input.reason }))
    .execute();
});

/** Moves a session on by one version: of several writers that read the same version, one succeeds. */
async function advance(tx: WriteQueries, input: { readonly uploadId: string; readonly version: number; readonly now: number }, addedBytes: number): Promise<boolean> {
  const updated = await tx
    .updateTable('uploads')
    .set((eb) => ({ received_bytes: eb('received_bytes', '+', addedBytes), version: input.version + 1, updated_at: input.now }))
    .where('id', '=', input.uploadId)
    .where('version', '=', input.version)
    .returning('id')
    .execute();
  return updated.length > 0;
}

async function reserve(tx: WriteQueries, options: { readonly registryId: number; readonly uploadId: string; readonly position: number; readonly part: ReservedPart; readonly now: number }): Promise<void> {
  await tx
    .insertInto('parts')
    .values({
      name: options.part.name,
      registry_id: options.registryId,
      data_key_id: options.part.dataKeyId,
      upload_id: options.uploadId,
      blob_id: null,
      position: options.position,
      size_bytes: null,
      created_at: options.now,
    })
    .execute();
}

export const blobTransactions: readonly TransactionDefinition<never, unknown>[] = [
  beginUpload,
  keepPart,
  replacePart,
  dropUpload,
  mountBlob,
  unlinkBlob,
  recordDamage,
  commitUpload,
  ...collections,
];
