import { setTimeout as delay } from 'node:timers/promises';
import { mergePage } from '../merge/merge-page.ts';
import { toldOf } from '../merge/told.ts';
import { type Peer, PeerError } from '../peers/model.ts';
import type { CopyContext } from '../copy/index.ts';

/** For all regions together: a client waits. */
export const usualAskMs = 3_000;
/** After the first answer, for others that may know something later. */
const graceMs = 100;

export interface Wanted {
  readonly registryId: number;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/**
 * Asks the regions that are up, the home region among them, and merges what they say, as if it had come by the feed: what was deleted here later
 * stays deleted. True: something was said, by any of them.
 */
export async function askPeers(context: CopyContext, wanted: Wanted, askMs = usualAskMs): Promise<boolean> {
  const registry = context.registries.byId(wanted.registryId);
  const peers = context.peers.all().filter((peer) => peer.isUp);
  if (registry === undefined || peers.length === 0) return false;
  const enough = new AbortController();
  const signal = AbortSignal.any([context.signal, enough.signal, AbortSignal.timeout(askMs)]);
  const found = Promise.withResolvers<void>();
  let isFound = false;
  const ask = async (peer: Peer): Promise<void> => {
    if (!(await askOne(context, { peer, registry: registry.name, signal }, wanted))) return;
    isFound = true;
    found.resolve();
  };
  const all = Promise.all(peers.map(ask));
  await Promise.race([all, found.promise]);
  if (isFound && peers.length > 1) await Promise.race([all, delay(graceMs, undefined, { ref: false })]);
  enough.abort();
  await all;
  return isFound;
}

interface Question {
  readonly peer: Peer;
  readonly registry: string;
  readonly signal: AbortSignal;
}

/** Never rejects: a region that cannot be asked has nothing. */
async function askOne(context: CopyContext, { peer, registry, signal }: Question, wanted: Wanted): Promise<boolean> {
  const { registryId, repository, reference } = wanted;
  try {
    const facts = await peer.resolve(registry, { repository, reference }, signal);
    if (facts === undefined || facts.length === 0) return false;
    await mergePage(context, { registryId, source: peer.name, told: toldOf(facts), toldAt: context.clock.now() });
    return true;
  } catch (error) {
    const isHeldThere = !(error instanceof PeerError && error.kind === 'not-here');
    if (!signal.aborted && isHeldThere)
      context.log.warn({ err: error, region: peer.name, repository }, 'a region could not be asked for a manifest');
    return false;
  }
}
