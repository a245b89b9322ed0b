import type { Access } from './access/index.ts';
import type { Catalog } from './catalog/index.ts';
import { RegistryError } from './errors/index.ts';
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
import { type TriggersOptions, createTriggers } from './triggers/index.ts';

export interface TaskFeatureParts {
  readonly storage: Storage;
  readonly access: Access;
  readonly registries: Registries;
  readonly catalog: Pick<Catalog, 'find' | 'read' | 'untag'>;
  readonly outbound: Outbound;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the server is told to stop. */
  readonly signal: AbortSignal;
}

/** Longer than a client takes between the parts of an index, shorter than anybody minds. */
const settleMs = 400;

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
  const { baseImagePollIntervalMs: pollIntervalMs, baseImageRunsPerHour: runsPerHour } = settings;
  const triggers = createTriggers({
    database,
    keys,
    clock,
    log,
    outbound,
    tasks,
    runs,
    registries,
    ...digests(parts),
    publicOrigin: ({ loginServer }) => publicOrigin(settings, loginServer),
    limits: { pollIntervalMs, runsPerHour, settleMs },
    signal,
  });
  return {
    routes: [...runs.routes, ...tasks.routes, ...triggers.routes],
    runs,
    tasks,
    kinds: tasks.kinds,
    wake: () => triggers.wake(),
    loops: () => [...runs.loops(), ...triggers.loops()],
    stop: async () => {
      await triggers.stop();
      await runs.stop();
    },
  };
}

/** Nobody is told of an address that nobody has said: the one that is listened on may be reached from here alone. */
function publicOrigin({ loginServer: said, tls, tlsCert }: Settings, loginServer: string): string | undefined {
  if (said === undefined) return undefined;
  const isTls = /^https?:/.test(said) ? said.startsWith('https:') : tls === 'auto' || tlsCert !== undefined;
  return `${isTls ? 'https' : 'http'}://${loginServer}`;
}

/** What tags of this deployment name: of a task's own registry, and of others by the rights of its credentials there. */
function digests({
  access,
  catalog,
  registries,
}: TaskFeatureParts): Pick<TriggersOptions, 'digestFor' | 'digestOf' | 'manifestOf'> {
  return {
    manifestOf: async (registryId, { repository, digest: reference }) => {
      try {
        return await catalog.read({ registryId, repository, reference, hidesQuarantined: false });
      } catch (error) {
        if (error instanceof RegistryError) return undefined;
        throw error;
      }
    },
    digestOf: async (registryId, { repository, tag: reference }) => {
      if (registries.byId(registryId)?.policies.isQuarantineEnabled !== true)
        return catalog.find({ registryId, repository, reference });
      const found = catalog.read({ registryId, repository, reference, hidesQuarantined: true });
      return found.then(
        ({ digest }) => digest,
        (error: unknown) => {
          if (error instanceof RegistryError) return undefined;
          throw error;
        },
      );
    },
    digestFor: async (registry, { repository, tag }, credentials) => {
      const { username = '', password } = credentials ?? { password: '' };
      const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const principal = await access.authenticate(credentials ? { authorization: basic } : {}, 'triggers', registry);
      if (!principal.permits({ type: 'repository', name: repository, action: 'pull' }))
        throw new RegistryError('DENIED', {
          message: `${registry.loginServer} does not let these credentials, or nobody, pull from ${repository}`,
        });
      const { isQuarantineEnabled: hidesQuarantined } = registry.policies;
      return (await catalog.read({ registryId: registry.id, repository, reference: tag, hidesQuarantined })).digest;
    },
  };
}
