import { type TransactionDefinition, type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { ensureAnyRepository, ensureRepository } from '../repositories/index.ts';
import { collections } from './collect.ts';
import { commitUpload } from './commit-upload.ts';
import { endUpload, freeParts } from './free-parts.ts';
import { linkTransactions } from './link-blob.ts';
import type { ReservedPart } from './model.ts';

export interface BeginUpload {
  readonly registryId: number;
  readonly repository: string;
  readonly uploadId: string;
  readonly principal: string;
  readonly algorithm: string;
  readonly part: ReservedPart;
  /** Whatever locks say. */
  readonly isReplica?: boolean;
  readonly now: number;
}

/** Opens a session and reserves its first part. */
export const beginUpload = defineTransaction(
  'blobs.begin-upload',
  async (tx, input: BeginUpload): Promise<{ readonly repositoryId: number }> => {
    const { registryId, repository, now } = input;
    const repositoryId =
      input.isReplica === true
        ? (await ensureAnyRepository(tx, registryId, repository, now)).id
        : await ensureRepository(tx, registryId, repository, now);
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
    await reserve(tx, { ...input, position: 0 });
    return { repositoryId };
  },
);

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
  await reserve(tx, { ...input, position: input.position + 1, part: input.next });
  return true;
});

export type ReplacePart = Omit<KeepPart, 'sizeBytes'>;

/** Gives up a reserved part whose object a crash or another writer left behind, and reserves another in its place. */
export const replacePart = defineTransaction('blobs.replace-part', async (tx, input: ReplacePart): Promise<boolean> => {
  if (!(await advance(tx, input, 0))) return false;
  await tx.updateTable('parts').set({ upload_id: null }).where('name', '=', input.name).execute();
  await freeParts(tx, [{ name: input.name, size_bytes: null }], input.now);
  await reserve(tx, { ...input, part: input.next });
  return true;
});

export interface DropUpload {
  readonly uploadId: string;
  readonly now: number;
  /** The reserved part when it surely has no object. */
  readonly untouchedPart?: string | undefined;
  /** Only if nobody has touched it since then (ms). */
  readonly idleSince?: number;
}

/** Ends a session without a blob: its parts become garbage. False when it is gone already. */
export const dropUpload = defineTransaction('blobs.drop-upload', async (tx, input: DropUpload): Promise<boolean> => {
  const upload = await lockRows(
    tx.selectFrom('uploads').select(['id', 'updated_at']).where('id', '=', input.uploadId),
  ).executeTakeFirst();
  if (upload === undefined) return false;
  // An upload that was found idle may have gone on meanwhile.
  if (input.idleSince !== undefined && upload.updated_at >= input.idleSince) return false;
  await endUpload(tx, { uploadId: input.uploadId, untouchedPart: input.untouchedPart, now: input.now });
  return true;
});

export interface TouchUploads {
  readonly uploadIds: readonly string[];
  readonly now: number;
}

/** Says that uploads are being written to: a chunk may take longer than the time after which an idle upload ends. */
export const touchUploads = defineTransaction('blobs.touch-uploads', async (tx, input: TouchUploads): Promise<void> => {
  await tx.updateTable('uploads').set({ updated_at: input.now }).where('id', 'in', input.uploadIds).execute();
});

/** Moves a session on by one version: of several writers that read the same version, one succeeds. */
async function advance(
  tx: WriteQueries,
  input: { readonly uploadId: string; readonly version: number; readonly now: number },
  addedBytes: number,
): Promise<boolean> {
  const updated = await tx
    .updateTable('uploads')
    .set((eb) => ({
      received_bytes: eb('received_bytes', '+', addedBytes),
      version: input.version + 1,
      updated_at: input.now,
    }))
    .where('id', '=', input.uploadId)
    .where('version', '=', input.version)
    .returning('id')
    .execute();
  return updated.length > 0;
}

interface Reservation {
  readonly registryId: number;
  readonly uploadId: string;
  readonly position: number;
  readonly part: ReservedPart;
  readonly now: number;
}

async function reserve(tx: WriteQueries, { registryId, uploadId, position, part, now }: Reservation): Promise<void> {
  await tx
    .insertInto('parts')
    .values({
      name: part.name,
      registry_id: registryId,
      data_key_id: part.dataKeyId,
      upload_id: uploadId,
      blob_id: null,
      position,
      size_bytes: null,
      created_at: now,
    })
    .execute();
}

export const blobTransactions: readonly TransactionDefinition<never, unknown>[] = [
  beginUpload,
  keepPart,
  replacePart,
  dropUpload,
  touchUploads,
  commitUpload,
  ...linkTransactions,
  ...collections,
];
