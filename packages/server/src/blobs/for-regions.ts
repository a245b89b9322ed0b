import type { Readable } from 'node:stream';
import { type Digest, digestAlgorithm } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import type { BlobName, BlobsContext, UploadRequester } from './blobs-context.ts';
import { cancelUpload } from './cancel-upload.ts';
import { openDownload } from './download.ts';
import { finishUpload } from './finish-upload.ts';
import { findKnownBlob } from './known-blob.ts';
import { linkStored } from './link-blob.ts';
import { openUpload, requireUpload } from './open-upload.ts';
import { findLinkedBlob, findStoredBlob } from './queries.ts';
import { sendChunk } from './send-chunk.ts';
import { uploadWhole } from './upload-whole.ts';
import { isBlobDamaged } from '../platform/damage/index.ts';

/** What regions do with each other's blobs. Locks and limits were asked where somebody pushed them. */

/** A blob as another region may read it. */
export interface BlobForRegion {
  readonly sizeBytes: number;
  /** A range of its bytes, `[start, end)`, each authenticated. @throws CONTENT_DAMAGED */
  open(range: { readonly start: number; readonly end: number }, signal: AbortSignal): AsyncGenerator<readonly Buffer[], void>;
}

/**
 * A blob of a repository or, when its link has gone meanwhile, of the registry: regions hold a registry as a whole.
 * Undefined: it is not here, or known to be damaged, so that another region is asked.
 */
export async function findForRegion(context: BlobsContext, blob: BlobName): Promise<BlobForRegion | undefined> {
  const { registryId, repository, digest } = blob;
  const { read } = context.database;
  const found = (await findLinkedBlob(read, registryId, repository, digest)) ?? (await findStoredBlob(read, registryId, digest));
  if (found === undefined || (await isBlobDamaged(read, found.id))) return undefined;
  return {
    sizeBytes: found.size_bytes,
    open: (range, signal) => openDownload(context, { registryId, blob: found, digest, range, signal }),
  };
}

/** Where a copy goes, and for whom it is kept. */
export interface ReplicaBlob extends BlobName {
  /** The region that copies: `region:west`. */
  readonly principalId: string;
}

/** A replica's upload, which outlives the process: its durable bytes are there after a crash. */
export interface ReplicaUpload {
  readonly uploadId: string;
  readonly receivedBytes: number;
}

/** Bytes for an upload, in order. */
export interface ReplicaChunk {
  readonly uploadId: string;
  readonly start: number;
  readonly body: Readable;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** Writes what other regions have. */
export interface ReplicaBlobs {
  /** Whether the repository has a blob, sound; it then stays long enough for a manifest that names it. */
  has(blob: BlobName): Promise<boolean>;
  /** Links a blob that the registry has in whichever repository. False: it has none, or a damaged one. */
  link(blob: BlobName): Promise<boolean>;
  /** Takes a blob in one go; nothing is kept of one that breaks off. @throws DIGEST_INVALID, SIZE_INVALID, STORAGE_FULL */
  take(
    blob: ReplicaBlob,
    content: { readonly body: Readable; readonly sizeBytes: number; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Begins an upload. */
  begin(blob: ReplicaBlob): Promise<ReplicaUpload>;
  /** An upload that was begun earlier; undefined when it has ended or expired. */
  resume(blob: ReplicaBlob, uploadId: string): Promise<ReplicaUpload | undefined>;
  /** Makes a part of what comes, also when it breaks off. Resolves with the bytes that the upload has then. */
  append(blob: ReplicaBlob, chunk: ReplicaChunk): Promise<number>;
  /** Makes the blob, or ends the upload. @throws DIGEST_INVALID, BLOB_UPLOAD_UNKNOWN */
  finish(
    blob: ReplicaBlob,
    upload: { readonly uploadId: string; readonly body: Readable; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Gives an upload up; one that has ended already is no error. */
  cancel(blob: ReplicaBlob, upload: { readonly uploadId: string; readonly signal: AbortSignal }): Promise<void>;
}

export function replicaBlobs(context: BlobsContext): ReplicaBlobs {
  return {
    has: async (blob) => (await findKnownBlob(context, requesterOf({ ...blob, principalId: '' }), blob.digest)) !== undefined,
    link: ({ registryId, repository, digest }) => {
      const now = context.clock.now();
      return context.database.write(linkStored, { registryId, repository, digest, now, dueAt: now + context.garbageDelayMs });
    },
    take: (blob, { body, sizeBytes, signal }) =>
      uploadWhole(context, requesterOf(blob), { digest: blob.digest, body, expectedBytes: sizeBytes, signal }),
    begin: async (blob) => {
      const { id, receivedBytes } = await openUpload(context, requesterOf(blob), digestAlgorithm(blob.digest));
      return { uploadId: id, receivedBytes };
    },
    resume: (blob, uploadId) => unlessEnded(resume(context, blob, uploadId)),
    append: (blob, { sizeBytes, ...chunk }) => sendChunk(context, requesterOf(blob), { ...chunk, expectedBytes: sizeBytes }),
    finish: (blob, upload) =>
      finishUpload(context, requesterOf(blob), { ...upload, digest: blob.digest, expectedBytes: 0, start: undefined }),
    cancel: async (blob, upload) => {
      await unlessEnded(cancelUpload(context, requesterOf(blob), upload));
    },
  };
}

async function resume(context: BlobsContext, blob: ReplicaBlob, uploadId: string): Promise<ReplicaUpload> {
  const { receivedBytes } = await requireUpload(context, requesterOf(blob), uploadId);
  return { uploadId, receivedBytes };
}

async function unlessEnded<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RegistryError && error.error === 'BLOB_UPLOAD_UNKNOWN') return undefined;
    throw error;
  }
}

function requesterOf({
  registryId,
  repository,
  principalId,
}: Omit<ReplicaBlob, 'digest'> & { readonly digest?: Digest }): UploadRequester {
  return { registryId, repository, principalId, isReplica: true };
}
