import type { Access } from './access/index.ts';
import type { Catalog } from './catalog/index.ts';
import type { Route } from './http/index.ts';
import type { Storage } from './open-storage.ts';
import type { Clock } from './platform/clock.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Outbound } from './platform/outbound/index.ts';
import type { Registries } from './registries/index.ts';
import type { ChildKind } from './resources/index.ts';
import { type Runs, createRuns } from './runs/index.ts';
import type { Settings } from './settings/index.ts';
import { type Tasks, createTasks } from './tasks/index.ts';

export interface TaskFeatureParts {
  readonly storage: Storage;
  readonly access: Access;
  readonly registries: Registries;
  readonly catalog: Pick<Catalog, 'untag'>;
  readonly outbound: Outbound;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}

/** Runs, and what makes them run. */
export interface TaskFeatures {
  readonly routes: readonly Route[];
  readonly kinds: readonly ChildKind[];
  readonly runs: Runs;
  readonly tasks: Tasks;
  /** Tags of a registry were moved. */
  wake(): void;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<unknown>;
}

/** Constructs the features of tasks. */
export function createTaskFeatures(settings: Settings, parts: TaskFeatureParts): TaskFeatures {
  const { storage, access, registries, catalog, outbound, metrics, clock, log, signal } = parts;
  const { database, keys, store } = storage;
  const { runsAtOnce, queueTimeoutMs, runRetentionMs, maxSourceSizeBytes } = settings;
  const runs = createRuns({
    database,
    keys,
    store,
    clock,
    log,
    metrics,
    signal,
    limits: { runsAtOnce, queueTimeoutMs, runRetentionMs, maxSourceSizeBytes },
    registryById: (id) => registries.byId(id),
    credentials: access.machines,
    untag: (registryId, repository, tag) => catalog.untag({ registryId, repository, tag }),
    // Called once agents come: by then there are tasks.
    resolveSecrets: (registry, _run, secrets) => tasks.resolveSecrets(registry, secrets),
  });
  const tasks: Tasks = createTasks({
    database,
    keys,
    clock,
    runs,
    outbound,
    keyVault: settings,
    region: settings.region,
    signal,
  });
  return {
    routes: [...runs.routes, ...tasks.routes],
    runs,
    tasks,
    kinds: tasks.kinds,
    wake: () => undefined,
    loops: () => runs.loops(),
    stop: () => runs.stop(),
  };
}
