import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { foldStored, storedIn } from '../platform/stored-bytes/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { type Pull, PullMeter } from './pull-meter.ts';
import { lastPullsOf } from './queries.ts';
import { usageRoutes } from './routes.ts';

export interface UsageOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Bytes that the plan of a registry allows. */
  readonly limitOf: (registry: Registry) => number;
}

/** What registries store and serve. */
export interface Usage {
  readonly routes: readonly Route[];
  readonly meter: { pulled(pull: Pull): void; pushed(registryId: number): void };
  /** When things of a repository were last pulled. */
  lastPulls(
    repositoryId: number,
    of: { readonly tags: readonly string[] } | { readonly digests: readonly string[] },
  ): Promise<Map<string, number>>;
  usageOf(registry: Registry): Promise<{ readonly sizeBytes: number; readonly limitBytes: number }>;
  /** To be called again and again: writes counts and adds sizes up. */
  settle(signal: AbortSignal): Promise<void>;
  /** Writes what was counted last. */
  stop(): Promise<void>;
}

export function createUsage(options: UsageOptions): Usage {
  const { database, metrics, limitOf } = options;
  const meter = new PullMeter(options);
  metrics.counter('berth_pulls_total', 'Manifests that were served since the start.', () => meter.totals.pulls);
  metrics.counter('berth_pushes_total', 'Manifests that were taken since the start.', () => meter.totals.pushes);
  return {
    routes: usageRoutes(options),
    meter,
    lastPulls: (repositoryId, of) => lastPullsOf(database.read, repositoryId, of),
    usageOf: async (registry) => ({
      sizeBytes: (await storedIn(database.read, registry.id)).bytes,
      limitBytes: limitOf(registry),
    }),
    settle: async (signal) => {
      await meter.flush();
      for (let isMore = true; isMore && !signal.aborted; ) isMore = await database.write(foldStored, {});
    },
    stop: () => meter.flush(),
  };
}
