import { digestAlgorithm } from '@berth/oci';
import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { type FinalChunk, completeUpload, discard } from './finish-upload.ts';
import { findKnownBlob, takeAsKnown } from './known-blob.ts';
import { openUpload } from './open-upload.ts';
import { holdBody } from './receive-body.ts';

/** Takes a blob in one request (OCI end-4b): a session that nobody else sees, which ends with the request. */
export async function uploadWhole(context: BlobsContext, requester: UploadRequester, blob: FinalChunk): Promise<void> {
  holdBody(blob.body);
  if ((await findKnownBlob(context, requester, blob.digest)) !== undefined) return takeAsKnown(context, requester, blob);
  const upload = await openUpload(context, requester, digestAlgorithm(blob.digest));
  try {
    await context.sessions.asOnlyWriter(upload.id, blob.signal, (signal) =>
      completeUpload(context, requester, upload, { ...blob, signal }),
    );
  } catch (error) {
    await discard(context, upload);
    throw error;
  }
}
