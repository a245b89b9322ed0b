import type { Access } from './access/index.ts';
import { createBlobs } from './blobs/index.ts';
import { createCatalog } from './catalog/index.ts';
import { healthRoutes, measure } from './health/index.ts';
import type { Route } from './http/index.ts';
import type { Storage } from './open-storage.ts';
import type { Clock } from './platform/clock.ts';
import { createCollector } from './platform/garbage/index.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import { repeat } from './platform/repeat.ts';
import type { Registries } from './registries/index.ts';
import { createScrub } from './scrub/index.ts';
import type { Settings } from './settings/index.ts';
import { upkeepRoutes } from './upkeep/index.ts';

export interface FeatureParts {
  readonly storage: Storage;
  readonly access: Access;
  readonly registries: Registries;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}

export interface Work {
  readonly routes: readonly Route[];
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<unknown>;
}

/** Constructs every feature. Whoever adds one adds its routes, its background work and its end here. */
export function createFeatures(settings: Settings, { storage, access, metrics, clock, log, signal }: FeatureParts): Work {
  const { database, keys, store } = storage;
  const common = { database, keys, clock, log, garbageDelayMs: settings.garbageDelayMs };
  const blobs = createBlobs({ ...common, store, uploadExpiryMs: settings.uploadExpiryMs });
  const catalog = createCatalog({ ...common, readBlob: blobs.read, manifestCacheBytes: settings.manifestCacheBytes });
  const scrub = createScrub({ database, keys, clock, log, store });
  const collector = createCollector({ database, clock, log, handlers: [...blobs.garbageHandlers, ...catalog.garbageHandlers] });
  measure(metrics, {
    database,
    clock,
    activeUploads: blobs.activeUploads,
    freedParts: blobs.freedParts,
    signInFailures: access.signInFailures,
  });
  const checks = { database: () => database.check(), 'blob store': () => store.check(), 'key ring': () => keys.check() };
  return {
    routes: [
      ...blobs.routes,
      ...catalog.routes,
      ...scrub.routes,
      ...upkeepRoutes({ database, clock, collector, freedParts: blobs.freedParts }),
      ...healthRoutes({ metrics, isServing: () => !signal.aborted, checks, log }),
    ],
    loops: () => [
      collector.run(settings.garbageIntervalMs, signal),
      repeat(() => blobs.expireUploads(signal), { name: 'expiry of uploads', everyMs: settings.garbageIntervalMs, signal, log }),
    ],
    stop: () => Promise.all([blobs.stop(), scrub.stop(), catalog.close()]),
  };
}
