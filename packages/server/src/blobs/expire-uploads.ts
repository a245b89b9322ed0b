import type { BlobsContext } from './blobs-context.ts';
import { idleUploads } from './queries.ts';
import { dropUpload } from './transactions.ts';

const batch = 100;

/** Gives up uploads that nobody has touched for `idleMs`; their parts become garbage. Resolves with how many. */
export async function expireUploads(context: BlobsContext, idleMs: number, signal: AbortSignal): Promise<number> {
  let expired = 0;
  for (;;) {
    const before = context.clock.now() - idleMs;
    const ids = await idleUploads(context.database.read, before, batch);
    for (const uploadId of ids) {
      if (signal.aborted) return expired;
      if (await context.database.write(dropUpload, { uploadId, now: context.clock.now(), idleSince: before })) expired += 1;
      context.sessions.forget(uploadId);
    }
    if (ids.length < batch) return expired;
  }
}
