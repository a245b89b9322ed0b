import type { Readable } from 'node:stream';
import { type Digest, type DigestAlgorithm, digestAlgorithm } from '@berth/oci';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { completeUpload } from './finish-upload.ts';
import type { UploadState } from './model.ts';
import { openUpload } from './open-upload.ts';
import { dropUpload } from './transactions.ts';

/** Begins an upload (OCI end-4a, end-4c). */
export function startUpload(context: BlobsContext, requester: UploadRequester, algorithm: DigestAlgorithm): Promise<UploadState> {
  return openUpload(context, requester, algorithm);
}

export interface WholeBlob {
  readonly digest: Digest;
  readonly body: Readable;
  readonly expectedBytes: number | undefined;
  readonly signal: AbortSignal;
}

/** Takes a blob in one request (OCI end-4b): a session that nobody else sees, which ends with the request. */
export async function uploadWhole(context: BlobsContext, requester: UploadRequester, blob: WholeBlob): Promise<void> {
  const upload = await openUpload(context, requester, digestAlgorithm(blob.digest));
  try {
    await completeUpload(context, requester, upload, { ...blob, uploadId: upload.id, start: undefined });
  } catch (error) {
    context.sessions.forget(upload.id);
    await context.database.write(dropUpload, { uploadId: upload.id, now: context.clock.now() });
    throw error;
  }
}
