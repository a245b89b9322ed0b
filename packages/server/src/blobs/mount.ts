import type { Digest } from '@berth/oci';
import type { Principal } from '../tenancy/index.ts';
import type { BlobsContext } from './blobs-context.ts';
import { mountBlob } from './link-blob.ts';
import { repositoriesHolding } from './queries.ts';

export interface Mount {
  readonly registryId: number;
  readonly principal: Principal;
  readonly digest: Digest;
  /** Undefined: any repository that the principal may pull from ("anonymous" mount, OCI end-11). */
  readonly source: string | undefined;
  readonly target: string;
}

/** Repositories that are tried when the client names none. */
const maxSources = 100;

/**
 * Links a blob that another repository has. False when it was not done: then the client uploads. Missing, or not
 * readable for this principal, is one answer (attack 15).
 */
export async function mount(context: BlobsContext, mounted: Mount): Promise<boolean> {
  const { registryId, principal, digest, source, target } = mounted;
  const candidates =
    source === undefined ? await repositoriesHolding(context.database.read, registryId, digest, maxSources) : [source];
  const readable = candidates.find((name) => principal.permits({ type: 'repository', name, action: 'pull' }));
  if (readable === undefined) return false;
  const now = context.clock.now();
  return context.database.write(mountBlob, {
    registryId,
    digest,
    source: readable,
    target,
    now,
    dueAt: now + context.garbageDelayMs,
  });
}
