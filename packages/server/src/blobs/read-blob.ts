import type { Digest } from '@berth/oci';
import type { BlobsContext } from './blobs-context.ts';
import { openDownload } from './download.ts';
import { findLinkedBlob } from './queries.ts';

export interface BlobToRead {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: Digest;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** A small blob whole, for features that look into it; undefined when it is missing or larger. @throws CONTENT_DAMAGED */
export async function readBlob(context: BlobsContext, wanted: BlobToRead): Promise<Buffer | undefined> {
  const { registryId, repository, digest, maxBytes, signal } = wanted;
  const blob = await findLinkedBlob(context.database.read, registryId, repository, digest);
  if (blob === undefined || blob.size_bytes > maxBytes) return undefined;
  const range = { start: 0, end: blob.size_bytes };
  const buffers: Buffer[] = [];
  for await (const some of openDownload(context, { registryId, blob, digest, range, signal })) buffers.push(...some);
  return Buffer.concat(buffers);
}
