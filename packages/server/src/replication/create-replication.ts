import type { Operation } from '@berth/api';
import type { Blobs, BlobsElsewhere } from '../blobs/index.ts';
import type { Catalog, CatalogElsewhere } from '../catalog/index.ts';
import type { Plans } from '../registries/index.ts';
import type { ChildKind } from '../resources/index.ts';
import type { Settings } from '../settings/index.ts';
import type { Plan, Registry } from '../tenancy/index.ts';
import { createCopying } from './copy/index.ts';
import { FeedWaits, feedRoutes, watchLog } from './feed/index.ts';
import { createFollowers } from './follow/followers.ts';
import { type PeerSettings, createPeers } from './peers/index.ts';
import { createReadThrough } from './read-through/index.ts';
import { createReplicas } from './replicas/create-replicas.ts';
import { requireHome } from './replicas/home-only.ts';
import { replicaRoutes } from './replicas/replica-routes.ts';
import { holdingRegions } from './replicas/queries.ts';
import type { CredentialsOfRegions } from './replicas/region-knowledge.ts';
import type { ReplicationBells, ReplicationContext, ReplicationPart } from './replication-context.ts';
import { type Routes, guarded, overviewRoutes } from './replication-routes.ts';
import { replicationKind } from './replication-kind.ts';
import { type ReadToRoute, RoutedRegions, parseRegionNetworks, redirectOf, routingRoutes } from './routing/index.ts';
import { RegionStatuses, measureFeeds, ownStatus } from './status/index.ts';

export interface ReplicationOptions extends Omit<ReplicationContext, 'peers' | 'bells' | 'catalog' | 'blobs'> {
  readonly settings: ReplicationContext['settings'] & Pick<Settings, 'maxRequests' | 'routing' | 'regionNetworks'>;
  readonly catalog: Catalog;
  readonly blobs: Blobs;
  readonly peerSettings: PeerSettings;
  /** Of the program. */
  readonly version: string;
  readonly credentials: CredentialsOfRegions;
  /** What each plan allows. */
  readonly plans: Plans;
  /** Of the default registry when it is made anew. */
  readonly defaultPlan: Plan;
  /** Tags were moved by what another region told. */
  readonly onTagsMoved: (registryId: number) => void;
  /** The default registry is another one now, empty and without an admin user. */
  readonly onLocalRenewed: (local: Registry) => Promise<void>;
}

/** One registry in several regions. */
export interface Replication {
  readonly routes: Routes;
  readonly kind: ChildKind;
  /** What other regions have, for whoever does not find it here. */
  readonly catalogElsewhere: CatalogElsewhere;
  readonly blobsElsewhere: BlobsElsewhere;
  /** Damaged blobs of a registry that were replaced by what another region has, since the start. */
  repairedBlobs(registryId: number): number;
  /** A request has ended: those of clients of this region come before copies. */
  requestEnded(operation: Operation | undefined): void;
  /** The log of a registry has grown. */
  changed(registryId: number): void;
  /** @throws HOME_REGION_ONLY for a replica */
  readonly requireHome: (registry: Pick<Registry, 'name' | 'homeRegion'>) => void;
  /** The same routes; those that write settings are refused at a replica. */
  guarded(routes: Routes): Routes;
  /** Where a read should go that was asked of the name that all regions share; undefined: it is served here. Absent: nothing is sent on. */
  readonly redirect: ((operation: Operation, read: ReadToRoute) => Promise<string | undefined>) | undefined;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<unknown>;
}

export function createReplication(options: ReplicationOptions): Replication {
  const { database, clock, log, registries, peerSettings, signal } = options;
  const peers = createPeers(peerSettings, { clock, log });
  // One waits for each registry and region; clients must have room beside them.
  const waits = new FeedWaits(Math.ceil(options.settings.maxRequests / 2));
  const bells = bellsOf((registryId) => waits.ring(registryId), options.onTagsMoved);
  const context: ReplicationContext = { ...options, peers, bells };
  const copying = createCopying(context);
  const readThrough = createReadThrough(copying.context);
  const followers = createFollowers(context);
  const replicas = createReplicas({ ...options, peers, bells });
  const statuses = new RegionStatuses({
    peers,
    own: (registry) =>
      ownStatus(registry, {
        database,
        region: peers.region,
        now: clock.now(),
        progress: copying,
        problem: replicas.problemOf(registry.name),
      }),
    now: () => clock.now(),
  });
  const kind = replicationKind({
    database,
    peers,
    plans: options.plans,
    statusOf: async (registry, region) => replicas.refusedBy(registry, region) ?? statuses.of(registry, region),
    onChange: async () => {
      await registries.refresh();
      bells.replicas();
    },
  });
  const routed = new RoutedRegions({ database, clock, peers });
  const routing = { region: peers.region, networks: parseRegionNetworks(options.settings.regionNetworks), routed };
  const requireHomeOf = (registry: Pick<Registry, 'name' | 'homeRegion'>): void => requireHome(peers, registry);
  measureFeeds(options.metrics, { database, registries, clock });
  const parts: readonly ReplicationPart[] = [copying, followers, replicas];
  return {
    kind: kind as ChildKind,
    catalogElsewhere: readThrough.catalog,
    blobsElsewhere: { ...readThrough.blobs, damaged: (registryId) => copying.repair(registryId) },
    repairedBlobs: (registryId) => copying.repaired(registryId),
    routes: [
      ...feedRoutes({
        ...options,
        region: peers.region,
        regionKeys: peerSettings.keys,
        tombstoneRetentionMs: options.settings.tombstoneRetentionMs,
        told: replicas.told,
        statusOf: (registry) => statuses.own(registry),
        waits,
      }),
      ...overviewRoutes(overview),
      ...routingRoutes(routing),
      ...replicaRoutes({
        kind: kind as ChildKind,
        children: { database, clock, kinds: [], limitOf: (_, { plan }) => options.plans[plan].replications },
        requireHome: requireHomeOf,
      }),
    ],
    requestEnded: (operation) => void (isOfClients(operation) && copying.clientServed()),
    changed: (registryId) => bells.changed(registryId),
    requireHome: requireHomeOf,
    redirect: options.settings.routing === 'off' ? undefined : (operation, read) => redirectOf(operation, read, routing),
    guarded: (routes) => guarded(routes, requireHomeOf),
    loops: () => [...parts.flatMap((part) => part.loops()), watchLog({ database, log, waits, signal })],
    stop: async () => {
      await Promise.all(parts.map(async (part) => part.stop?.()));
      peers.close();
    },
  };

  async function overview(registry: Registry): Promise<object> {
    const home = registry.homeRegion ?? peers.region;
    const regions = await holdingRegions(database.read, { registryId: registry.id, home });
    const told = await Promise.all(
      regions.map(async ({ name }) => replicas.refusedBy(registry, name) ?? (await statuses.of(registry, name))),
    );
    return { registry: registry.name, home, region: peers.region, regions: told };
  }
}

/** What other regions ask for, and whoever watches the server, has no hurry. */
function isOfClients(operation: Operation | undefined): boolean {
  return operation !== undefined && operation.permission.kind !== 'region' && operation.permission.kind !== 'public';
}

/** What happens in one part and matters to another, in this process. */
function bellsOf(changed: (registryId: number) => void, tagsMoved: (registryId: number) => void): ReplicationBells {
  const onPending: ((registryId: number) => void)[] = [];
  const onReplicas: (() => void)[] = [];
  return {
    changed,
    tagsMoved,
    pending: (registryId) => {
      for (const listener of onPending) listener(registryId);
    },
    replicas: () => {
      for (const listener of onReplicas) listener();
    },
    onPending: (listener) => void onPending.push(listener),
    onReplicas: (listener) => void onReplicas.push(listener),
  };
}
