import type { Database } from '../../platform/database/index.ts';

/** What is counted of one other region and one registry. */
export interface FeedFigures {
  readonly registryId: number;
  readonly region: string;
  readonly lagSeconds: number | null;
  readonly behind: number | null;
  readonly pending: number;
  readonly isFollowed: boolean;
  readonly copiedBytes: number;
  readonly conflicts: number;
}

export async function feedFigures({ read }: Database, now: number): Promise<readonly FeedFigures[]> {
  const feeds = await read.selectFrom('region_feeds').selectAll().orderBy('registry_id').orderBy('region').execute();
  const waiting = await read
    .selectFrom('pending_manifests')
    .select(({ fn }) => ['registry_id', 'source', fn.countAll<number>().as('count')])
    .groupBy(['registry_id', 'source'])
    .execute();
  return feeds.map((feed) => {
    const pending = waiting.find((each) => each.registry_id === feed.registry_id && each.source === feed.region)?.count ?? 0;
    const isLevel = feed.behind === 0 && pending === 0;
    const lagMs = feed.complete_until === null ? null : Math.max(0, now - feed.complete_until);
    return {
      registryId: feed.registry_id,
      region: feed.region,
      lagSeconds: isLevel ? 0 : lagMs === null ? null : lagMs / 1000,
      behind: feed.behind,
      pending,
      isFollowed: feed.state === 'following',
      copiedBytes: feed.copied_bytes,
      conflicts: feed.conflicts,
    };
  });
}
