import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/index.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Registries } from '../../registries/index.ts';
import { type FeedFigures, feedFigures } from './feed-figures.ts';

export interface MeasureFeedsOptions {
  readonly database: Database;
  readonly registries: Pick<Registries, 'byId'>;
  readonly clock: Clock;
}

const figures: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: (feed: FeedFigures) => number | null;
}[] = [
  {
    name: 'berth_replication_lag_seconds',
    help: 'For how long something that another region told has not been complete here; 0: all of it is.',
    of: ({ lagSeconds }) => lagSeconds,
  },
  {
    name: 'berth_replication_backlog_changes',
    help: 'Changes of another region that were not yet read.',
    of: ({ behind }) => behind,
  },
  {
    name: 'berth_replication_pending_manifests',
    help: 'Manifests told by another region that are not complete here.',
    of: ({ pending }) => pending,
  },
  {
    name: 'berth_replication_peer_up',
    help: 'Whether what another region tells is being followed.',
    of: ({ isFollowed }) => (isFollowed ? 1 : 0),
  },
  {
    name: 'berth_replication_peer_copied_bytes',
    help: 'Bytes copied from another region.',
    of: ({ copiedBytes }) => copiedBytes,
  },
  {
    name: 'berth_replication_conflicts',
    help: 'Conflicts with another region that were resolved.',
    of: ({ conflicts }) => conflicts,
  },
];

/** What scrapers see of each other region, for each registry. Their number is that of the settings and of registries. */
export function measureFeeds(metrics: Pick<Metrics, 'gauges'>, { database, registries, clock }: MeasureFeedsOptions): void {
  // All of them are asked for by one scrape.
  let last: { readonly at: number; readonly feeds: Promise<readonly FeedFigures[]> } | undefined;
  const read = (): Promise<readonly FeedFigures[]> => {
    const now = clock.now();
    if (last?.at !== now) last = { at: now, feeds: feedFigures(database, now) };
    return last.feeds;
  };
  for (const { name, help, of } of figures)
    metrics.gauges(name, help, ['registry', 'peer'], async () => {
      const feeds = await read();
      return feeds.flatMap((feed) => {
        const value = of(feed);
        const registry = registries.byId(feed.registryId);
        return value === null || registry === undefined ? [] : [{ labels: [registry.name, feed.region], value }];
      });
    });
}
