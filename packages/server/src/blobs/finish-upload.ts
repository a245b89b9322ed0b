import type { Readable } from 'node:stream';
import { type Digest, digestAlgorithm } from '@berth/oci';
import { RegistryError } from '../errors/index.ts';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { requireWhole } from './check-body.ts';
import { commitUpload } from './commit-upload.ts';
import { findKnownBlob, takeAsKnown } from './known-blob.ts';
import type { UploadState } from './model.ts';
import { digestOfUpload, requireNextBytes, requireUpload, uploadUnknown } from './open-upload.ts';
import { type ReceivedBody, holdBody } from './receive-body.ts';
import { dropUpload } from './transactions.ts';
import { abandonPart, writePart } from './write-part.ts';

export interface FinalChunk {
  readonly digest: Digest;
  /** Last bytes; may be empty. */
  readonly body: Readable;
  readonly expectedBytes: number | undefined;
  readonly signal: AbortSignal;
}

export interface UploadEnd extends FinalChunk {
  readonly uploadId: string;
  /** Offset of the first of the last bytes when the client said it. */
  readonly start: number | undefined;
}

/**
 * Ends an upload (OCI end-6): takes the last bytes, checks the digest, makes the blob. Whole or not at all: a client may
 * repeat a PUT, so of one that broke off nothing is kept.
 */
export function finishUpload(context: BlobsContext, requester: UploadRequester, end: UploadEnd): Promise<void> {
  holdBody(end.body);
  return context.sessions.asOnlyWriter(end.uploadId, end.signal, async (signal) => {
    const upload = await requireUpload(context, requester, end.uploadId);
    requireNextBytes(requester.repository, upload, end.start);
    const known = upload.receivedBytes === 0 ? await findKnownBlob(context, requester, end.digest) : undefined;
    if (known === undefined) return completeUpload(context, requester, upload, { ...end, signal });
    const endedUpload = { uploadId: upload.id, untouchedPart: context.sessions.untouchedPart(upload.id) };
    try {
      await takeAsKnown(context, requester, { ...end, signal, endedUpload });
      context.sessions.forget(upload.id);
    } catch (error) {
      if (error instanceof RegistryError && error.error === 'DIGEST_INVALID') await discard(context, upload);
      throw error;
    }
  });
}

/** Takes the last bytes of an upload, and binds its parts to the digest. */
export async function completeUpload(
  context: BlobsContext,
  requester: UploadRequester,
  upload: UploadState,
  chunk: FinalChunk,
): Promise<void> {
  const { registryId } = requester;
  const { digest, signal } = chunk;
  const algorithm = digestAlgorithm(digest);
  const running = await digestOfUpload(context, registryId, upload, { algorithm, bytesToCome: chunk.expectedBytes, signal });
  const inspect = (received: ReceivedBody): Promise<void> => requireWhole(received, running, digest);
  try {
    if (chunk.expectedBytes === 0) {
      await inspect({ sizeBytes: 0, isComplete: true });
      await commit(context, requester, { upload, digest, finalBytes: 0 });
    } else {
      const written = await writePart(context, { ...chunk, registryId, upload, running, inspect });
      await commit(context, requester, { upload: written.upload, digest, finalBytes: written.sizeBytes });
    }
  } catch (error) {
    // A digest that does not match, or a blob that does not fit, ends the upload and leaves no trace.
    if (error instanceof RegistryError && endings.has(error.error)) await discard(context, upload);
    throw error;
  }
}

const endings: ReadonlySet<string> = new Set(['DIGEST_INVALID', 'REGISTRY_DISALLOWED_OPERATION']);

interface CompleteUpload {
  readonly upload: UploadState;
  readonly digest: Digest;
  /** Bytes of the reserved part that came with this request. */
  readonly finalBytes: number;
}

async function commit(context: BlobsContext, requester: UploadRequester, complete: CompleteUpload): Promise<void> {
  const { registryId, isReplica = false } = requester;
  const { upload, digest, finalBytes } = complete;
  const now = context.clock.now();
  const isCommitted = await context.database.write(commitUpload, {
    registryId,
    repositoryId: upload.repositoryId,
    uploadId: upload.id,
    version: upload.version,
    digest,
    sizeBytes: upload.receivedBytes + finalBytes,
    limitBytes: isReplica ? undefined : context.limitOf?.(registryId),
    finalPart: finalBytes > 0 ? { name: upload.nextPart, sizeBytes: finalBytes } : undefined,
    untouchedPart: context.sessions.untouchedPart(upload.id),
    now,
    dueAt: now + context.garbageDelayMs,
  });
  context.sessions.forget(upload.id);
  if (isCommitted) return;
  if (finalBytes > 0) await abandonPart(context, upload.nextPart);
  throw uploadUnknown();
}

/** Ends an upload that failed. When even that fails, it expires later. */
export async function discard(context: BlobsContext, upload: UploadState): Promise<void> {
  const untouchedPart = context.sessions.untouchedPart(upload.id);
  context.sessions.forget(upload.id);
  try {
    await context.database.write(dropUpload, { uploadId: upload.id, untouchedPart, now: context.clock.now() });
  } catch (error) {
    context.log.warn({ err: error, upload: upload.id }, 'an upload that failed could not be ended; it will expire');
  }
}
