import type { Digest } from '@berth/oci';
import { mergePage } from '../merge/merge-page.ts';
import { toldOf } from '../merge/told.ts';
import { PeerError } from '../peers/model.ts';
import type { CopyContext } from './copy-context.ts';
import { CopyFailedError } from './model.ts';
import { peersFor, reasonOf, unlessNotHere } from './open-at-peers.ts';

export interface ManifestToFetch {
  readonly registryId: number;
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly source: string;
}

/**
 * Asks regions for a manifest whose bytes were not sent along, and merges what they say. `absent`: all were asked, and none has it.
 * @throws CopyFailedError when no region gives it now
 */
export async function fetchManifest(
  context: CopyContext,
  manifest: ManifestToFetch,
  signal: AbortSignal,
): Promise<'merged' | 'absent'> {
  const { registryId, registry, repository, digest, source } = manifest;
  const problems: string[] = [];
  const peers = peersFor(context.peers, source);
  let absent = 0;
  for (const peer of peers) {
    try {
      const facts = await peer.resolve(registry, { repository, reference: digest }, signal).catch(unlessNotHere);
      if (facts === undefined) {
        absent += 1;
        problems.push(`the region ${peer.name} does not have it`);
        continue;
      }
      const page = { registryId, source: peer.name, told: toldOf(facts), toldAt: context.clock.now() };
      const { damaged } = await mergePage(context, page);
      if (damaged.length === 0) return 'merged';
      problems.push(`the region ${peer.name} sent bytes that are not what it says`);
    } catch (error) {
      if (signal.aborted || !(error instanceof PeerError)) throw error;
      if (error.kind === 'damaged') context.progress.damaged(registryId, peer.name);
      problems.push(reasonOf(error));
    }
  }
  if (absent > 0 && absent === context.peers.all().length) return 'absent';
  const why = problems.length === 0 ? 'no other region answers' : problems.join('; ');
  throw new CopyFailedError(`the manifest ${digest} of ${repository} cannot be copied: ${why}`);
}
