import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Peer } from '../peers/model.ts';
import { holdingRegions, regionKey } from '../replicas/queries.ts';
import type { ReplicationContext, ReplicationPart } from '../replication-context.ts';
import { dropFeeds, prolongHolds, releaseFeeds } from './feed-transactions.ts';
import { type FollowTiming, followFeed, usualTiming } from './follow-feed.ts';

interface Follower {
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** Follows every registry that is replicated here, in every other region that holds it and that this one knows. */
export function createFollowers(context: ReplicationContext, timing: FollowTiming = usualTiming): ReplicationPart {
  const holder = randomUUID();
  const followers = new Map<string, Follower>();
  let wake = new AbortController();
  context.bells.onReplicas(() => wake.abort());

  const round = async (): Promise<void> => {
    const wanted = await feedsOf(context);
    const names = new Set(wanted.map(({ registryId, peer }) => `${registryId} ${peer.name}`));
    for (const [name, { controller }] of followers) if (!names.has(name)) controller.abort();
    for (const { registryId, registry, peer } of wanted) {
      const name = `${registryId} ${peer.name}`;
      if (followers.has(name)) continue;
      const controller = new AbortController();
      const signal = AbortSignal.any([context.signal, controller.signal]);
      const done = followFeed(context, { registryId, registry, peer, holder, timing }, signal)
        .catch((error: unknown) =>
          context.log.error({ err: error, peer: peer.name, registry }, 'a follower ended; it begins again'),
        )
        .finally(() => followers.delete(name));
      followers.set(name, { controller, done });
    }
    if (followers.size > 0)
      await context.database.write(prolongHolds, { holder, heldUntil: context.clock.now() + timing.holdMs });
  };

  const run = async (): Promise<void> => {
    while (!context.signal.aborted) {
      wake = new AbortController();
      const { signal: bell } = wake;
      await round().catch((error: unknown) => {
        if (!context.signal.aborted)
          context.log.error({ err: error }, 'it could not be seen which regions are to be followed; it is tried again');
      });
      const signal = AbortSignal.any([context.signal, bell]);
      await delay(timing.lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    await Promise.all([...followers.values()].map(({ done }) => done));
    await context.database.write(releaseFeeds, { holder }).catch(() => undefined);
  };
  return { loops: () => [run()] };
}

interface WantedFeed {
  readonly registryId: number;
  readonly registry: string;
  readonly peer: Peer;
}

/** Feeds to follow. Rows of regions that have left are dropped. */
async function feedsOf({ registries, peers, database }: ReplicationContext): Promise<readonly WantedFeed[]> {
  const wanted: WantedFeed[] = [];
  for (const { id, name, isReplicated, homeRegion } of registries.all()) {
    if (isReplicated !== true) continue;
    const regions = await holdingRegions(database.read, { registryId: id, home: homeRegion ?? peers.region });
    const others = new Set(regions.map((region) => regionKey(region.name)));
    const followed = peers.all().filter((peer) => others.has(regionKey(peer.name)));
    wanted.push(...followed.map((peer) => ({ registryId: id, registry: name, peer })));
    const keep = followed.map((peer) => peer.name);
    const left = await database.read
      .selectFrom('region_feeds')
      .select('region')
      .where('registry_id', '=', id)
      .where('region', 'not in', keep.length === 0 ? [''] : keep)
      .executeTakeFirst();
    if (left !== undefined) await database.write(dropFeeds, { registryId: id, keep });
  }
  return wanted;
}
