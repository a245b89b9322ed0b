import type { Readable } from 'node:stream';
import type { Digest } from '@berth/oci';
import type { BlobName, BlobsContext } from './blobs-context.ts';
import { openDownload, requireBlob } from './download.ts';
import { findKnownBlob } from './known-blob.ts';
import { mountBlob } from './link-blob.ts';
import { uploadWhole } from './upload-whole.ts';

/** Whether a repository has a blob, sound; it then stays long enough for a manifest that names it. */
export async function hasBlob(context: BlobsContext, { registryId, repository, digest }: BlobName): Promise<boolean> {
  return (await findKnownBlob(context, { registryId, repository, principalId: '' }, digest)) !== undefined;
}

export interface BlobToUpload extends BlobName {
  /** Whose upload it is while it lasts. */
  readonly principalId: string;
  readonly body: Readable;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** Takes a blob as a push does, as its bytes arrive. @throws DIGEST_INVALID, SIZE_INVALID, STORAGE_FULL */
export function uploadBlob(context: BlobsContext, { sizeBytes, ...blob }: BlobToUpload): Promise<void> {
  return uploadWhole(context, blob, { digest: blob.digest, body: blob.body, expectedBytes: sizeBytes, signal: blob.signal });
}

export interface BlobToLink {
  readonly registryId: number;
  readonly digest: Digest;
  readonly source: string;
  readonly target: string;
}

/** Links a blob of one repository into another. Whoever calls has seen that the source may be read. False: it was not done. */
export function linkBlobOf(context: BlobsContext, blob: BlobToLink): Promise<boolean> {
  const now = context.clock.now();
  return context.database.write(mountBlob, { ...blob, now, dueAt: now + context.garbageDelayMs });
}

/** The bytes of a blob. @throws BLOB_UNKNOWN, REGISTRY_DISALLOWED_OPERATION, CONTENT_DAMAGED */
export async function* bytesOfBlob(
  context: BlobsContext,
  { registryId, repository, digest }: BlobName,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const blob = await requireBlob(context, registryId, repository, digest);
  const range = { start: 0, end: blob.size_bytes };
  for await (const buffers of openDownload(context, { registryId, blob, digest, range, signal })) yield* buffers;
}
