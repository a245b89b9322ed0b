import { type Hash, createHash, randomUUID } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { type UploadState, newPartName, rangeOf, uploadLocation } from './model.ts';
import { findUpload, partsOfUpload } from './queries.ts';
import { beginUpload } from './transactions.ts';

/** Begins a session; its reserved part and the start of its digest are remembered. */
export async function openUpload(context: BlobsContext, requester: UploadRequester, algorithm: string): Promise<UploadState> {
  const { registryId, repository, principalId } = requester;
  const id = randomUUID();
  const part = { name: newPartName(), dataKeyId: context.keys.current(registryId).id };
  const { repositoryId } = await context.database.write(beginUpload, {
    registryId,
    repository,
    uploadId: id,
    principal: principalId,
    algorithm,
    part,
    now: context.clock.now(),
  });
  context.sessions.remember(id, { hash: createHash(algorithm), algorithm, hashedBytes: 0, untouchedPart: part.name });
  return { id, repositoryId, principal: principalId, algorithm, receivedBytes: 0, version: 0, nextPart: part.name, nextPartKeyId: part.dataKeyId, nextPosition: 0 };
}

const sessionPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A session of this requester; that of another user or repository does not exist for it (attack 16). @throws BLOB_UPLOAD_UNKNOWN */
export async function requireUpload(context: BlobsContext, requester: UploadRequester, uploadId: string): Promise<UploadState> {
  const upload = sessionPattern.test(uploadId) ? await findUpload(context.database.read, requester.registryId, requester.repository, uploadId) : undefined;
  if (upload === undefined || upload.principal !== requester.principalId) throw uploadUnknown();
  return upload;
}

export function uploadUnknown(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', { message: 'there is no such upload here: it was finished, cancelled or has expired; begin a new one' });
}

/** Refuses bytes that do not continue where the upload stands (OCI end-5: 416, and where to go on). */
export function requireNextBytes(repository: string, upload: UploadState, start: number): void {
  if (start === upload.receivedBytes) return;
  throw new RegistryError('RANGE_INVALID', {
    message: `the chunk begins at ${start} but the upload has ${upload.receivedBytes} bytes: go on from there`,
    headers: { Location: uploadLocation(repository, upload.id), Range: rangeOf(upload.receivedBytes), 'Docker-Upload-UUID': upload.id },
  });
}

/** A hash over the bytes that an upload holds: the running one, or computed anew from its parts after a restart. */
export async function hashOfUpload(context: BlobsContext, registryId: number, upload: UploadState, algorithm: string, signal: AbortSignal): Promise<Hash> {
  const running = context.sessions.takeHash(upload.id, algorithm, upload.receivedBytes);
  if (running !== undefined) return running;
  const hash = createHash(algorithm);
  for (const part of await partsOfUpload(context.database.read, upload.id)) {
    const range = { start: 0, end: part.size_bytes, sizeBytes: part.size_bytes };
    for await (const buffers of context.store.read(part.name, context.keys.get(registryId, part.data_key_id), range, signal)) {
      for (const buffer of buffers) hash.update(buffer);
    }
  }
  return hash;
}
