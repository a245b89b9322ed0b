import type { ClaimedManifest, MissingContent } from '../merge/model.ts';
import { completePending } from '../merge/complete-pending.ts';
import { dropMissing, failPending, findPending, listMissing } from '../merge/pending.ts';
import { toCopy } from './bring-blobs.ts';
import type { CopyContext } from './copy-context.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { CopyFailedError } from './model.ts';

export interface Bringing {
  /** Somebody waits for it. */
  readonly isUrgent: boolean;
  readonly signal: AbortSignal;
}

/** Until an index is looked at again whose manifests are on their way; each of them that arrives has it looked at, too. */
const childrenDelayMs = 10_000;

/**
 * Brings all that a manifest needs and makes it complete; or gives it back until the manifests that it names are.
 * @throws CopyFailedError, RegistryError STORAGE_FULL
 */
export async function completeManifest(context: CopyContext, manifest: ClaimedManifest, bringing: Bringing): Promise<void> {
  const registry = context.registries.byId(manifest.registryId);
  // It was deleted just now, and its rows go with it.
  if (registry === undefined) return;
  const place = { ...manifest, registry: registry.name };
  if (!manifest.hasBytes && (await fetchManifest(context, place, bringing.signal)) === 'absent')
    throw new CopyFailedError(`no region has the manifest ${manifest.digest} of ${manifest.repository}`);
  const missing = await listMissing(context, manifest);
  await bringBlobs(context, place, { missing, ...bringing });
  if ((await completePending(context, manifest.id)) !== 'incomplete') return;
  await failPending(context, { id: manifest.id, problem: null, retryAfterMs: childrenDelayMs });
  const left = await listMissing(context, manifest);
  await askForChildren(context, place, { missing: left, ...bringing });
  // What it waited for may have come between the two.
  if ((await listMissing(context, manifest)).length === 0) await completePending(context, manifest.id);
}

interface Place extends Pick<ClaimedManifest, 'id' | 'registryId' | 'repository' | 'source'> {
  readonly registry: string;
}

interface BringingContent extends Bringing {
  readonly missing: readonly MissingContent[];
}

/** All of them; the first failure is thrown when none is in work any more. */
async function bringBlobs(context: CopyContext, place: Place, { missing, ...bringing }: BringingContent): Promise<void> {
  const { bringer, peers } = context;
  const names = { registry: place.registry, principalId: `region:${peers.region}` };
  const bring = async (content: MissingContent): Promise<void> => {
    const outcome = await bringer.bring(toCopy(place, content, names), bringing);
    if (outcome === 'absent') await dropMissing(context, { id: place.id, digest: content.digest });
  };
  const ends = await Promise.allSettled(missing.filter(({ isManifest }) => !isManifest).map(bring));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** What an index names may never have been told: then it is asked for, and where nobody has it, the index does without. */
async function askForChildren(context: CopyContext, place: Place, { missing, signal }: BringingContent): Promise<void> {
  for (const { digest, isManifest } of missing) {
    if (!isManifest || (await findPending(context, { ...place, reference: digest })) !== undefined) continue;
    if ((await fetchManifest(context, { ...place, digest }, signal)) === 'absent')
      await dropMissing(context, { id: place.id, digest });
  }
}
