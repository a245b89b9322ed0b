import type { Digest } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { PartDamagedError } from '../platform/blob-store/index.ts';
import { recordDamage } from '../platform/damage/index.ts';
import { requireReadable } from '../repositories/index.ts';
import type { BlobsContext } from './blobs-context.ts';
import { type LinkedBlob, type StoredPart, findLinkedBlob, partsOfBlob } from './queries.ts';

/** @throws BLOB_UNKNOWN, REGISTRY_DISALLOWED_OPERATION */
export async function requireBlob(
  context: BlobsContext,
  registryId: number,
  repository: string,
  digest: Digest,
): Promise<LinkedBlob> {
  const blob = await findLinkedBlob(context.database.read, registryId, repository, digest);
  if (blob === undefined) throw blobUnknown(repository, digest);
  requireReadable(blob, `the repository ${repository}`);
  return blob;
}

export function blobUnknown(repository: string, digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', {
    message: `the blob ${digest} is not in the repository ${repository}`,
    detail: { digest },
  });
}

export interface Download {
  readonly registryId: number;
  readonly blob: Pick<LinkedBlob, 'id' | 'size_bytes'>;
  readonly digest: Digest;
  /** `[start, end)`. */
  readonly range: { readonly start: number; readonly end: number };
  readonly signal: AbortSignal;
}

/**
 * The plaintext of a range across the blob's parts, authenticated segment by segment. It ends with its last byte or with
 * an error, never early. @throws CONTENT_DAMAGED
 */
export async function* openDownload(
  context: BlobsContext,
  download: Download,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  const { registryId, blob, range, signal } = download;
  const parts = await partsOfBlob(context.database.read, blob.id);
  if (parts.length === 0 && blob.size_bytes > 0) {
    throw new RegistryError('BLOB_UNKNOWN', { message: `the blob ${download.digest} was deleted just now` });
  }
  if (parts.reduce((sum, part) => sum + part.size_bytes, 0) !== blob.size_bytes) throw damaged(download);
  let position = 0;
  for (const part of parts) {
    const start = Math.max(0, range.start - position);
    const end = Math.min(part.size_bytes, range.end - position);
    position += part.size_bytes;
    if (start >= end) continue;
    const key = context.keys.get(registryId, part.data_key_id);
    try {
      yield* context.store.read(part.name, key, { start, end, sizeBytes: part.size_bytes }, signal);
    } catch (error) {
      throw error instanceof PartDamagedError ? await found(context, download, part, error) : error;
    }
  }
}

async function found(
  context: BlobsContext,
  download: Download,
  part: StoredPart,
  error: PartDamagedError,
): Promise<RegistryError> {
  const damage = { name: part.name, reason: error.message, now: context.clock.now() };
  // Otherwise it was collected, or replaced by a push, while it was read.
  if (await context.database.write(recordDamage, damage)) {
    context.log.error({ err: error, part: part.name, digest: download.digest }, 'a stored part is damaged');
    context.elsewhere?.damaged(download.registryId);
  }
  return damaged(download, error);
}

function damaged({ digest }: Download, cause?: PartDamagedError): RegistryError {
  return new RegistryError('CONTENT_DAMAGED', { message: `the stored content of ${digest} is damaged`, cause });
}
