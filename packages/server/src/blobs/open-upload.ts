import { randomUUID } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import { PartDamagedError } from '../platform/blob-store/index.ts';
import type { RunningDigest } from '../platform/digests/index.ts';
import { releaseMemory } from '../platform/memory/index.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { type UploadState, newPartName, rangeOf, uploadLocation } from './model.ts';
import { findUpload, partsOfUpload } from './queries.ts';
import { beginUpload } from './transactions.ts';

/** Begins a session; its reserved part is remembered. */
export async function openUpload(context: BlobsContext, requester: UploadRequester, algorithm: string): Promise<UploadState> {
  const { registryId, repository, principalId, isReplica = false } = requester;
  const id = randomUUID();
  const part = { name: newPartName(), dataKeyId: context.keys.current(registryId).id };
  const { repositoryId } = await context.database.write(beginUpload, {
    registryId,
    repository,
    uploadId: id,
    principal: principalId,
    algorithm,
    part,
    isReplica,
    now: context.clock.now(),
  });
  context.sessions.remember(id, { running: undefined, algorithm, hashedBytes: 0, untouchedPart: part.name });
  return {
    id,
    repositoryId,
    principal: principalId,
    algorithm,
    receivedBytes: 0,
    version: 0,
    nextPart: part.name,
    nextPartKeyId: part.dataKeyId,
    nextPosition: 0,
  };
}

const sessionPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A session of this requester; that of another user or repository does not exist for it (attack 16). @throws BLOB_UPLOAD_UNKNOWN */
export async function requireUpload(context: BlobsContext, requester: UploadRequester, uploadId: string): Promise<UploadState> {
  if (!sessionPattern.test(uploadId)) throw uploadUnknown();
  const upload = await findUpload(context.database.read, requester.registryId, requester.repository, uploadId);
  if (upload === undefined || upload.principal !== requester.principalId) throw uploadUnknown();
  return upload;
}

export function uploadUnknown(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', {
    message: 'there is no such upload here: it was finished, cancelled or has expired; begin a new one',
  });
}

export function changedMeanwhile(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', {
    message: 'another request wrote to this upload, cancelled or finished it meanwhile: ask for its state',
  });
}

/** Says where an upload stands to a client that sends something else (OCI end-5: 416, and where to go on). */
export function outOfOrder(repository: string, upload: UploadState, message: string): RegistryError {
  const headers = {
    Location: uploadLocation(repository, upload.id),
    Range: rangeOf(upload.receivedBytes),
    'Docker-Upload-UUID': upload.id,
  };
  return new RegistryError('RANGE_INVALID', {
    message: `${message}; the upload has ${upload.receivedBytes} bytes: go on from there`,
    headers,
  });
}

/** Refuses bytes that do not continue where the upload stands (attack 9). */
export function requireNextBytes(repository: string, upload: UploadState, start: number | undefined): void {
  if (start !== undefined && start !== upload.receivedBytes) throw outOfOrder(repository, upload, `the chunk begins at ${start}`);
}

/**
 * The digest of the bytes that an upload holds: the running one, or computed anew from its parts after a restart, in
 * another process, or with another algorithm. @throws CONTENT_DAMAGED
 */
export async function digestOfUpload(
  context: BlobsContext,
  registryId: number,
  upload: UploadState,
  options: { readonly algorithm: string; readonly bytesToCome: number | undefined; readonly signal: AbortSignal },
): Promise<RunningDigest> {
  const { algorithm, bytesToCome, signal } = options;
  const known = context.sessions.digestAt(upload.id, algorithm, upload.receivedBytes);
  if (known !== undefined) return known;
  const sizeBytes = upload.receivedBytes === 0 ? bytesToCome : upload.receivedBytes + (bytesToCome ?? 0);
  const running = context.digests.begin(algorithm, sizeBytes);
  if (upload.receivedBytes === 0) return running;
  try {
    for (const part of await partsOfUpload(context.database.read, upload.id)) {
      const range = { start: 0, end: part.size_bytes, sizeBytes: part.size_bytes };
      for await (const buffers of context.store.read(part.name, context.keys.get(registryId, part.data_key_id), range, signal)) {
        for (const buffer of buffers) {
          await running.update(buffer);
          releaseMemory(buffer);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof PartDamagedError)) throw error;
    context.log.error({ err: error, upload: upload.id }, 'a stored part of an upload is damaged');
    throw new RegistryError('CONTENT_DAMAGED', {
      message: 'what was uploaded so far is damaged: begin a new upload',
      cause: error,
    });
  }
  return running;
}
