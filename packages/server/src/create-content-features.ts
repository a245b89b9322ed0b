import { type Blobs, createBlobs } from './blobs/index.ts';
import { type Catalog, createCatalog } from './catalog/index.ts';
import { type Changes, createChanges } from './changes/index.ts';
import type { FeatureParts } from './feature-parts.ts';
import { type Replication, createReplication } from './replication/index.ts';
import type { Settings } from './settings/index.ts';
import type { Registry } from './tenancy/index.ts';
import { type Usage, createUsage } from './usage/index.ts';
import { readVersion } from './version.ts';
import { type Webhooks, createWebhooks } from './webhooks/index.ts';

/** What holds content, here and in other regions, and tells of it. */
export interface ContentFeatures {
  readonly usage: Usage;
  readonly blobs: Blobs;
  readonly catalog: Catalog;
  readonly replication: Replication;
  readonly webhooks: Webhooks;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
}

/** `onTagsMoved`: called once requests come. */
export function createContentFeatures(
  settings: Settings,
  parts: FeatureParts,
  { onTagsMoved }: { readonly onTagsMoved: (registryId: number) => void },
): ContentFeatures {
  const { storage, access, registries, metrics, clock, log, signal } = parts;
  const { database, keys, store } = storage;
  const common = { database, keys, clock, log, garbageDelayMs: settings.garbageDelayMs };
  const limitOf = (registry: Registry | undefined): number => registries.plans[registry?.plan ?? 'Premium'].storageBytes;
  const limitOfId = (registryId: number): number => limitOf(registries.byId(registryId));
  const usage = createUsage({ database, clock, log, metrics, limitOf });
  // What is elsewhere is asked for once requests come: by then there is a replication.
  const blobs = createBlobs({
    ...common,
    store,
    uploadExpiryMs: settings.uploadExpiryMs,
    limitOf: limitOfId,
    elsewhere: {
      find: (blob) => replication.blobsElsewhere.find(blob),
      damaged: (registryId) => replication.blobsElsewhere.damaged(registryId),
    },
  });
  const catalog = createCatalog({
    ...common,
    readBlob: blobs.read,
    limitOf: limitOfId,
    meter: usage.meter,
    manifestCacheBytes: settings.manifestCacheBytes,
    onTagsMoved,
    elsewhere: {
      newer: (name) => replication.catalogElsewhere.newer(name),
      missing: (name) => replication.catalogElsewhere.missing(name),
      remove: (name, asked) => replication.catalogElsewhere.remove(name, asked),
      bring: (place, stop) => replication.catalogElsewhere.bring(place, stop),
    },
  });
  const replication: Replication = createReplication({
    ...parts,
    database,
    keys,
    catalog,
    blobs,
    settings,
    signal,
    onTagsMoved,
    defaultPlan: settings.defaultPlan,
    version: readVersion(),
    plans: registries.plans,
    credentials: access.regionCredentials,
  });
  const webhooks = webhooksOf(settings, parts);
  const changes = changesOf(settings, parts);
  changes.onGrown((registryId) => {
    webhooks.changed(registryId);
    replication.changed(registryId);
  });
  const loops = () => [...webhooks.loops(), ...replication.loops(), ...changes.loops()];
  return { usage, blobs, catalog, replication, webhooks, loops };
}

function changesOf(settings: Settings, { storage, registries, clock, log, signal }: FeatureParts): Changes {
  return createChanges({
    database: storage.database,
    clock,
    log,
    signal,
    ids: () => registries.all().map(({ id }) => id),
    changeRetentionMs: settings.changeRetentionMs,
    tombstoneRetentionMs: settings.tombstoneRetentionMs,
    pruneIntervalMs: settings.garbageIntervalMs,
  });
}

function webhooksOf(settings: Settings, { storage, registries, outbound, metrics, clock, log, signal }: FeatureParts): Webhooks {
  return createWebhooks({
    database: storage.database,
    keys: storage.keys,
    clock,
    log,
    metrics,
    outbound,
    registries,
    signal,
    region: settings.region,
    limits: settings,
    limitOf: (_kind, { plan }) => registries.plans[plan].webhooks,
  });
}
