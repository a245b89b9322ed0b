import type { Readable } from 'node:stream';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { type UploadState, newPartName } from './model.ts';
import { changedMeanwhile, digestOfUpload, requireNextBytes, requireUpload } from './open-upload.ts';
import { holdBody } from './receive-body.ts';
import { keepPart } from './transactions.ts';
import { abandonPart, writePart } from './write-part.ts';

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
  holdBody(chunk.body);
  return context.sessions.asOnlyWriter(chunk.uploadId, chunk.signal, async (signal) => {
    const { registryId, repository } = requester;
    const upload = await requireUpload(context, requester, chunk.uploadId);
    requireNextBytes(repository, upload, chunk.start);
    if (chunk.expectedBytes === 0) return upload.receivedBytes;
    const { algorithm } = upload;
    const bytesToCome = chunk.expectedBytes;
    const running = await digestOfUpload(context, registryId, upload, { algorithm, bytesToCome, signal });
    const written = await writePart(context, { ...chunk, registryId, upload, running, signal });
    const kept = written.sizeBytes === 0 ? written.upload : await keep(context, registryId, written);
    const untouchedPart = written.sizeBytes === 0 ? undefined : kept.nextPart;
    context.sessions.remember(upload.id, { running, algorithm, hashedBytes: kept.receivedBytes, untouchedPart });
    return kept.receivedBytes;
  });
}

async function keep(
  context: BlobsContext,
  registryId: number,
  { upload, sizeBytes }: { readonly upload: UploadState; readonly sizeBytes: number },
): Promise<UploadState> {
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
  if (!isKept) {
    await abandonPart(context, upload.nextPart);
    throw changedMeanwhile();
  }
  return {
    ...upload,
    receivedBytes: upload.receivedBytes + sizeBytes,
    version: upload.version + 1,
    nextPart: next.name,
    nextPartKeyId: next.dataKeyId,
    nextPosition: upload.nextPosition + 1,
  };
}
