import type { Readable } from 'node:stream';
import { RegistryError } from '../errors/index.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { type UploadState, newPartName } from './model.ts';
import { hashOfUpload, requireNextBytes, requireUpload } from './open-upload.ts';
import { keepPart } from './transactions.ts';
import { writePart } from './write-part.ts';

export interface Chunk {
  readonly uploadId: string;
  readonly body: Readable;
  /** Exact length when the client said it. */
  readonly expectedBytes: number | undefined;
  /** Offset of the first byte when the client said it. */
  readonly start: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Appends a request's bytes to an upload (OCI end-5). What a broken connection brought is kept and counted, so that the
 * client can go on from there. Resolves with the bytes that the upload has now.
 */
export function sendChunk(context: BlobsContext, requester: UploadRequester, chunk: Chunk): Promise<number> {
  return context.sessions.asOnlyWriter(chunk.uploadId, chunk.signal, async (signal) => {
    const upload = await requireUpload(context, requester, chunk.uploadId);
    if (chunk.start !== undefined) requireNextBytes(requester.repository, upload, chunk.start);
    const { registryId } = requester;
    const hash = await hashOfUpload(context, registryId, upload, upload.algorithm, signal);
    const written = await writePart(context, { registryId, upload, body: chunk.body, expectedBytes: chunk.expectedBytes, hash, signal });
    if (written.sizeBytes === 0) {
      context.sessions.remember(upload.id, { hash, algorithm: upload.algorithm, hashedBytes: upload.receivedBytes, untouchedPart: written.upload.nextPart });
      return upload.receivedBytes;
    }
    const next = await keep(context, registryId, written.upload, written.sizeBytes);
    context.sessions.remember(upload.id, { hash, algorithm: upload.algorithm, hashedBytes: next.receivedBytes, untouchedPart: next.nextPart });
    return next.receivedBytes;
  });
}

async function keep(context: BlobsContext, registryId: number, upload: UploadState, sizeBytes: number): Promise<UploadState> {
  const next = { name: newPartName(), dataKeyId: context.keys.current(registryId).id };
  const isKept = await context.database.write(keepPart, {
    registryId,
    uploadId: upload.id,
    version: upload.version,
    name: upload.nextPart,
    position: upload.nextPosition,
    sizeBytes,
    next,
    now: context.clock.now(),
  });
  if (!isKept) throw new RegistryError('BLOB_UPLOAD_INVALID', { message: 'another request wrote to this upload, cancelled or finished it meanwhile: ask for its state' });
  return {
    ...upload,
    receivedBytes: upload.receivedBytes + sizeBytes,
    version: upload.version + 1,
    nextPart: next.name,
    nextPartKeyId: next.dataKeyId,
    nextPosition: upload.nextPosition + 1,
  };
}
