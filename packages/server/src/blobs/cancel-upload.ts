import type { BlobsContext, UploadRequester } from './blobs-context.ts';
import { requireUpload, uploadUnknown } from './open-upload.ts';
import { dropUpload } from './transactions.ts';

/** Gives an upload up (OCI end-14); a request that is still sending to it is told to stop first. */
export function cancelUpload(
  context: BlobsContext,
  requester: UploadRequester,
  { uploadId, signal }: { readonly uploadId: string; readonly signal: AbortSignal },
): Promise<void> {
  return context.sessions.asOnlyWriter(uploadId, signal, async () => {
    const upload = await requireUpload(context, requester, uploadId);
    const untouchedPart = context.sessions.untouchedPart(upload.id);
    context.sessions.forget(upload.id);
    const isDropped = await context.database.write(dropUpload, { uploadId, untouchedPart, now: context.clock.now() });
    if (!isDropped) throw uploadUnknown();
  });
}
