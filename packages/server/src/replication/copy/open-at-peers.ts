import type { Peer, PeerBlob, Peers } from '../peers/model.ts';
import { PeerError } from '../peers/model.ts';

/** Regions that may have something: where it was told from first, then those that answered last. */
export function peersFor(peers: Pick<Peers, 'all'>, source: string): readonly Peer[] {
  const up = peers.all().filter((peer) => peer.isUp);
  return [...up.filter((peer) => peer.name === source), ...up.filter((peer) => peer.name !== source)];
}

export interface BlobAtPeer {
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
  /** What the manifest says that the blob has. */
  readonly sizeBytes: number;
}

/**
 * A blob of another region from an offset on; undefined: it does not have it.
 * @throws PeerError `damaged` when it has another size there
 */
export async function openAtPeer(
  peer: Peer,
  blob: BlobAtPeer,
  start: number,
  signal: AbortSignal,
): Promise<PeerBlob | undefined> {
  const { registry, repository, digest, sizeBytes } = blob;
  const answer = await peer.blob(registry, { repository, digest, ...(start > 0 && { start }) }, signal).catch(unlessNotHere);
  if (answer === undefined || answer.sizeBytes === sizeBytes) return answer;
  answer.body.on('error', () => undefined).destroy();
  throw new PeerError('damaged', {
    region: peer.name,
    message: `the blob ${digest} has ${answer.sizeBytes} bytes in the region ${peer.name}; the manifest that names it says ${sizeBytes}`,
    remedy: `Push the image again, or check the storage of ${peer.name} with "berth scrub".`,
  });
}

/** A region that does not hold the registry has nothing of it. */
export function unlessNotHere(error: unknown): undefined {
  if (error instanceof PeerError && error.kind === 'not-here') return undefined;
  throw error;
}

/** Why a region could not give something, in words for operators. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed';
}
