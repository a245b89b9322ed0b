import { type Digest, isDigest } from '@berth/oci';
import { CopyFailedError, type CopyContext, completeManifest, toCopy } from '../copy/index.ts';
import { findPending } from '../merge/pending.ts';
import { findAwaitedBlob } from './queries.ts';

export interface Named {
  readonly registryId: number;
  readonly repository: string;
  readonly digests: readonly string[];
}

/**
 * Brings, before its turn, what a push names and is on its way here: blobs, and manifests with all that they need. False: nothing of it is, or it
 * cannot come now.
 */
export async function bringNamed(context: CopyContext, { digests, ...place }: Named, signal: AbortSignal): Promise<boolean> {
  const registry = context.registries.byId(place.registryId);
  if (registry?.isReplicated !== true) return false;
  const bring = (digest: Digest): Promise<boolean> => bringOne(context, { ...place, registry: registry.name }, digest);
  const all = Promise.all(digests.filter(isDigest).map(bring));
  all.catch(() => undefined);
  try {
    // Whoever waits may leave; what was begun goes on.
    return (await Promise.race([all, aborted(signal)])).includes(true);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CopyFailedError)) throw error;
    context.log.warn({ err: error, repository: place.repository }, 'what a push names could not be brought from another region');
    return false;
  }
}

interface Place {
  readonly registryId: number;
  readonly repository: string;
  readonly registry: string;
}

async function bringOne(context: CopyContext, place: Place, digest: Digest): Promise<boolean> {
  const bringing = { isUrgent: true, signal: context.signal };
  const blob = await findAwaitedBlob(context.database.read, { ...place, digest });
  if (blob !== undefined) {
    const { source, size_bytes: sizeBytes } = blob;
    const names = { registry: place.registry, principalId: `region:${context.peers.region}` };
    await context.bringer.bring(toCopy({ ...place, source }, { digest, sizeBytes, isOptional: false }, names), bringing);
    return true;
  }
  const manifest = await findPending(context, { ...place, reference: digest });
  if (manifest === undefined) return false;
  const { bytes, ...rest } = manifest;
  await completeManifest(context, { ...place, ...rest, hasBytes: bytes !== undefined, attempts: 0 }, bringing);
  return true;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
