import type { BlobsContext } from './blobs-context.ts';
import { idleUploads } from './queries.ts';
import { dropUpload, touchUploads } from './transactions.ts';

const batch = 100;
const touchBatch = 500;

/**
 * Gives up uploads that nobody has touched for `idleMs`; their parts become garbage. Those that this process is writing
 * to now are marked as alive first, for all processes to see. Resolves with how many were given up.
 */
export async function expireUploads(context: BlobsContext, idleMs: number, signal: AbortSignal): Promise<number> {
  const { active } = context.sessions;
  for (let start = 0; start < active.length; start += touchBatch) {
    const uploadIds = active.slice(start, start + touchBatch);
    await context.database.write(touchUploads, { uploadIds, now: context.clock.now() });
  }
  let expired = 0;
  while (!signal.aborted) {
    const before = context.clock.now() - idleMs;
    const ids = await idleUploads(context.database.read, before, batch);
    for (const uploadId of ids) {
      if (signal.aborted) return expired;
      const idle = { uploadId, idleSince: before, now: context.clock.now() };
      if (await context.database.write(dropUpload, idle)) expired += 1;
      context.sessions.forget(uploadId);
    }
    if (ids.length < batch) break;
  }
  return expired;
}
