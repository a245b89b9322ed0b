import type { FeedStatus, ReplicaStatus } from '@berth/api';
import type { Selectable } from 'kysely';
import type { Database, RegionFeedRow } from '../../platform/database/index.ts';
import { childrenAfter } from '../../resources/index.ts';
import type { Registry } from '../../tenancy/index.ts';

/** What only the copier of this process knows. */
export interface CopyProgress {
  /** Bytes that arrived in the last seconds, by the second. */
  bytesPerSecond(registryId: number): number;
}

export interface OwnStatusParts {
  readonly database: Database;
  /** This region. */
  readonly region: string;
  readonly now: number;
  readonly progress: CopyProgress;
  /** Why the registry cannot be held here, found by whoever makes replicas; undefined: nothing is wrong. */
  readonly problem?: { readonly problem: string; readonly remedy: string } | undefined;
}

const maxRegions = 100;

/** How far this region is with a registry: a handful of sums over rows, none of them over content. */
export async function ownStatus(registry: Registry, parts: OwnStatusParts): Promise<ReplicaStatus> {
  const { database, region, now, progress, problem } = parts;
  const { id } = registry;
  const [feeds, pending, complete, routed] = await Promise.all([
    database.read.selectFrom('region_feeds').selectAll().where('registry_id', '=', id).orderBy('region').execute(),
    pendingOf(database, id),
    completeOf(database, id),
    isRouted(database, id, region),
  ]);
  const shown = feeds.map((feed) => feedStatus(feed, { now, pendingManifests: pending.manifests }));
  return {
    region,
    isHome: registry.homeRegion === undefined,
    isEndpointEnabled: routed,
    endpoint: registry.loginServer,
    state:
      problem === undefined
        ? stateOf(feeds, { isHome: registry.homeRegion === undefined, pending: pending.manifests })
        : 'failed',
    manifests: { complete, pending: pending.manifests },
    bytes: {
      copied: feeds.reduce((sum, feed) => sum + feed.copied_bytes, 0),
      pending: pending.bytes,
      perSecond: progress.bytesPerSecond(id),
    },
    conflictsResolved: feeds.reduce((sum, feed) => sum + feed.conflicts, 0),
    damagedAnswers: feeds.reduce((sum, feed) => sum + feed.damaged_answers, 0),
    feeds: shown,
    problem: problem?.problem ?? null,
    remedy: problem?.remedy ?? null,
  };
}

async function pendingOf(
  database: Database,
  registryId: number,
): Promise<{ readonly manifests: number; readonly bytes: number }> {
  const manifests = await database.read
    .selectFrom('pending_manifests')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('registry_id', '=', registryId)
    .executeTakeFirstOrThrow();
  // A blob that several manifests wait for is copied once.
  const blobs = await database.read
    .selectFrom((eb) =>
      eb
        .selectFrom('pending_blobs')
        .select(['digest', 'size_bytes'])
        .distinct()
        .where('registry_id', '=', registryId)
        .where('is_manifest', '=', 0)
        .as('missing'),
    )
    .select(({ fn }) => fn.sum<number | null>('missing.size_bytes').as('bytes'))
    .executeTakeFirstOrThrow();
  return { manifests: manifests.count, bytes: blobs.bytes ?? 0 };
}

async function completeOf(database: Database, registryId: number): Promise<number> {
  const row = await database.read
    .selectFrom('repositories')
    .select(({ fn }) => fn.sum<number | null>('manifest_count').as('count'))
    .where('registry_id', '=', registryId)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return row.count ?? 0;
}

/** The home region is routed to always; others as their resource says. */
async function isRouted(database: Database, registryId: number, region: string): Promise<boolean> {
  const replications = await childrenAfter(database.read, { registryId, kind: 'replications', after: '', limit: maxRegions });
  const own = replications.find(({ location }) => location?.toLowerCase() === region.toLowerCase());
  return (own?.properties as { readonly regionEndpointEnabled?: boolean } | undefined)?.regionEndpointEnabled !== false;
}

function feedStatus(
  feed: Selectable<RegionFeedRow>,
  { now, pendingManifests }: { readonly now: number; readonly pendingManifests: number },
): FeedStatus {
  const isLevel = feed.state === 'following' && feed.behind === 0 && pendingManifests === 0;
  const lagMs = feed.complete_until === null ? null : Math.max(0, now - feed.complete_until);
  return {
    region: feed.region,
    state: feed.state as FeedStatus['state'],
    answeredAt: feed.answered_at === null ? null : new Date(feed.answered_at).toISOString(),
    lagSeconds: isLevel ? 0 : lagMs === null ? null : lagMs / 1000,
    behind: feed.behind,
    clockSkewSeconds: feed.skew_ms === null ? null : feed.skew_ms / 1000,
    problem: feed.problem,
    remedy: feed.remedy,
  };
}

/** A region that cannot be reached does not make this one unready: what it has, it serves. */
function stateOf(
  feeds: readonly Selectable<RegionFeedRow>[],
  { isHome, pending }: { readonly isHome: boolean; readonly pending: number },
): ReplicaStatus['state'] {
  if (feeds.some(({ state }) => state === 'refused' || state === 'stale')) return 'failed';
  // Without a cursor a snapshot has yet to be read, or to be read to its end.
  const isReading = feeds.some(({ cursor, behind }) => cursor === '' || (behind ?? 0) > 0);
  // A replica that was made a moment ago follows nobody yet.
  const isNew = !isHome && feeds.length === 0;
  return isReading || isNew || pending > 0 ? 'syncing' : 'ready';
}
