import { type Digest } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import { PartDamagedError } from '../platform/blob-store/index.ts';
import type { BlobsContext } from './blobs-context.ts';
import { type LinkedBlob, type StoredPart, findLinkedBlob, partsOfBlob } from './queries.ts';
import { recordDamage } from './transactions.ts';

/** @throws BLOB_UNKNOWN */
export async function requireBlob(context: BlobsContext, registryId: number, repository: string, digest: Digest): Promise<LinkedBlob> {
  const blob = await findLinkedBlob(context.database.read, registryId, repository, digest);
  if (blob === undefined) throw new RegistryError('BLOB_UNKNOWN', { message: `the blob ${digest} is not in the repository ${repository}`, detail: { digest } });
  return blob;
}

export interface Download {
  readonly registryId: number;
  readonly blob: LinkedBlob;
  readonly digest: Digest;
  /** `[start, end)`. */
  readonly range: { readonly start: number; readonly end: number };
  readonly signal: AbortSignal;
}

/** The plaintext of a range across the blob's parts, authenticated segment by segment. @throws CONTENT_DAMAGED */
export async function* openDownload(context: BlobsContext, download: Download): AsyncGenerator<readonly Buffer[], void, undefined> {
  const { registryId, range, signal } = download;
  let position = 0;
  for (const part of await partsOfBlob(context.database.read, download.blob.id)) {
    const start = Math.max(0, range.start - position);
    const end = Math.min(part.size_bytes, range.end - position);
    position += part.size_bytes;
    if (start >= end) continue;
    try {
      yield* context.store.read(part.name, context.keys.get(registryId, part.data_key_id), { start, end, sizeBytes: part.size_bytes }, signal);
    } catch (error) {
      throw error instanceof PartDamagedError ? await damaged(context, download, part, error) : error;
    }
  }
  if (position !== download.blob.size_bytes) throw new RegistryError('CONTENT_DAMAGED', { message: `parts of ${download.digest} are missing` });
}

async function damaged(context: BlobsContext, download: Download, part: StoredPart, error: PartDamagedError): Promise<RegistryError> {
  const { registryId, digest } = download;
  context.log.error({ err: error, part: part.name, digest }, 'a stored part is damaged');
  await context.database.write(recordDamage, { name: part.name, registryId, digest, reason: error.message, now: context.clock.now() });
  return new RegistryError('CONTENT_DAMAGED', { message: `the stored content of ${digest} is damaged`, cause: error });
}
