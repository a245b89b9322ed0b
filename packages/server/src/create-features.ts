import type { Access } from './access/index.ts';
import { armRoutes } from './arm/index.ts';
import { type Audit, createAudit } from './audit/index.ts';
import type { Blobs } from './blobs/index.ts';
import type { Catalog } from './catalog/index.ts';
import { createContentFeatures } from './create-content-features.ts';
import { type TaskFeatures, createTaskFeatures } from './create-task-features.ts';
import type { FeatureParts } from './feature-parts.ts';
import { healthRoutes, measure } from './health/index.ts';
import type { Route } from './http/index.ts';
import { type ImportCredentials, type ImportsOptions, type Imports, createImports } from './imports/index.ts';
import { createCollector } from './platform/garbage/index.ts';
import { repeat } from './platform/repeat.ts';
import { type Registries, collectDeletedRegistries } from './registries/index.ts';
import type { Replication } from './replication/index.ts';
import { type Retention, createRetention } from './retention/index.ts';
import { createScrub } from './scrub/index.ts';
import type { Settings } from './settings/index.ts';
import type { Usage } from './usage/index.ts';
import { upkeepRoutes } from './upkeep/index.ts';

/** How late a process may learn that another one changed a registry. */
const refreshMs = 5_000;
/** What a process that is killed may lose of the audit trail. */
const auditMs = 1_000;
/** How late a purge by the clock may begin. */
const purgeMs = 10_000;

export interface Work {
  readonly routes: readonly Route[];
  readonly audit: Audit;
  /** The same routes; those that write settings are refused where a registry is a replica. */
  guarded(routes: readonly Route[]): readonly Route[];
  /** A request has ended. */
  requestEnded(...ended: Parameters<Audit['requestEnded']>): void;
  readonly redirect: Replication['redirect'];
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<unknown>;
}

/** What every request ends with. */
function endingOf(audit: Audit, replication: Replication): Work['requestEnded'] {
  return (record, details) => {
    audit.requestEnded(record, details);
    replication.requestEnded(details.operation);
  };
}

function checksOf({ database, store, keys }: FeatureParts['storage']) {
  return { database: () => database.check(), 'blob store': () => store.check(), 'key ring': () => keys.check() };
}

/** Constructs every feature. Whoever adds one adds its routes, its background work and its end here. */
export function createFeatures(settings: Settings, parts: FeatureParts): Work {
  const { storage, access, registries, outbound, metrics, clock, log, signal } = parts;
  const { database, keys, store } = storage;
  const audit = auditOf(settings, parts);
  const content = createContentFeatures(settings, parts, {
    // Called once requests come: by then there is one.
    onTagsMoved: (registryId) => {
      retention.wake(registryId);
      tasks.wake();
    },
  });
  const { usage, blobs, catalog, replication, webhooks } = content;
  const tasks = createTaskFeatures(settings, { ...parts, catalog });
  const retention = createRetention({
    database,
    clock,
    log,
    garbageDelayMs: settings.garbageDelayMs,
    // What goes by itself goes in the home region, and from there everywhere.
    registries: () => registries.all().filter(({ homeRegion }) => homeRegion === undefined),
    signal,
    lastPulls: usage.lastPulls,
    onRemoved: ({ registryId, ...what }) => audit.purged({ ...what, registry: registries.byId(registryId) ?? registries.local }),
  });
  const imports = createImports({ blobs, catalog, outbound, clock, log, ...localRegistries(registries, access) });
  const scrub = createScrub({
    database,
    keys,
    clock,
    log,
    store,
    elsewhere: { damaged: replication.blobsElsewhere.damaged, repaired: replication.repairedBlobs },
  });
  const collector = createCollector({ database, clock, log, handlers: [...blobs.garbageHandlers, ...catalog.garbageHandlers] });
  measure(metrics, {
    database,
    clock,
    activeUploads: blobs.activeUploads,
    freedParts: blobs.freedParts,
    signInFailures: access.signInFailures,
  });
  const managed = resourceManager(settings, parts, {
    imports,
    usage,
    kinds: [replication.kind, webhooks.kind, ...tasks.kinds],
    requireHome: replication.requireHome,
    runs: tasks.runs,
    tasks: tasks.tasks,
  });
  const rounds = roundsOf(settings, parts, { audit, usage, blobs, catalog, retention });
  return {
    audit,
    guarded: replication.guarded,
    requestEnded: endingOf(audit, replication),
    redirect: replication.redirect,
    routes: [
      ...blobs.routes,
      ...catalog.routes,
      ...retention.routes,
      ...scrub.routes,
      ...usage.routes,
      ...audit.routes,
      ...tasks.routes,
      ...webhooks.routes,
      ...replication.routes,
      ...managed,
      ...upkeepRoutes({ database, clock, collector, freedParts: blobs.freedParts }),
      ...healthRoutes({ metrics, isServing: () => !signal.aborted, checks: checksOf(storage), log }),
    ],
    loops: () => [
      ...rounds.map(({ name, everyMs, work }) => repeat(work, { name, everyMs, signal, log })),
      collector.run(settings.garbageIntervalMs, signal),
      retention.run(settings.cleanupIntervalMs),
      ...tasks.loops(),
      ...content.loops(),
    ],
    stop: async () => {
      await Promise.all([imports.stop(), tasks.stop(), webhooks.stop(), replication.stop()]);
      return Promise.all([blobs.stop(), scrub.stop(), retention.stop(), usage.stop(), audit.stop(), catalog.close()]);
    },
  };
}

interface RoundParts {
  readonly audit: Audit;
  readonly usage: Usage;
  readonly blobs: Blobs;
  readonly catalog: Catalog;
  readonly retention: Retention;
}

/** What is done again and again in the background. */
function roundsOf(
  { garbageIntervalMs: garbage }: Settings,
  { storage: { database }, registries, clock, signal }: FeatureParts,
  { audit, usage, blobs, catalog, retention }: RoundParts,
): readonly { readonly name: string; readonly everyMs: number; readonly work: () => Promise<unknown> }[] {
  return [
    { name: 'registries of other processes', everyMs: refreshMs, work: () => registries.refresh() },
    { name: 'the audit trail', everyMs: auditMs, work: () => audit.flush() },
    { name: 'retention of the audit trail', everyMs: garbage, work: () => audit.expire(signal) },
    { name: 'counts of usage', everyMs: refreshMs, work: () => usage.settle(signal) },
    {
      name: 'content of deleted registries',
      everyMs: garbage,
      work: () => collectDeletedRegistries({ database, clock }, signal),
    },
    { name: 'expiry of what was deleted', everyMs: garbage, work: () => catalog.expireDeleted(registries.all(), signal) },
    { name: 'purges by the clock', everyMs: purgeMs, work: () => retention.purgeDue() },
    { name: 'expiry of uploads', everyMs: garbage, work: () => blobs.expireUploads(signal) },
  ];
}

function auditOf(settings: Settings, { storage, registries, metrics, clock, log }: FeatureParts): Audit {
  return createAudit({
    database: storage.database,
    clock,
    log,
    metrics,
    region: settings.region,
    findRegistry: (name) => registries.byName(name),
    retentionMs: settings.auditRetentionMs,
    lines: settings.auditLog,
  });
}

/** The resource manager, with every kind of child that a feature declares. */
function resourceManager(
  settings: Settings,
  { storage, access, registries, clock }: FeatureParts,
  {
    imports,
    usage,
    kinds,
    runs,
    tasks,
    requireHome,
  }: { readonly imports: Imports; readonly usage: Usage } & Pick<Replication, 'requireHome'> &
    Pick<TaskFeatures, 'kinds' | 'runs' | 'tasks'>,
): readonly Route[] {
  return armRoutes({
    database: storage.database,
    keys: storage.keys,
    clock,
    registries,
    region: settings.region,
    imports,
    runs,
    tasks,
    requireHome,
    admins: access.admins,
    directory: access.directory,
    tokens: access.tokens,
    kinds: [...access.kinds, ...kinds],
    usageOf: usage.usageOf,
  });
}

/** How imports copy from registries of this deployment: by login server, with the rights of the credentials. */
function localRegistries(registries: Registries, access: Access): Pick<ImportsOptions, 'findLocal' | 'signIn'> {
  return {
    findLocal: (host) => registries.all().find(({ loginServer }) => loginServer.toLowerCase() === host),
    signIn: async (registry, credentials, clientAddress) =>
      access.authenticate(credentials === undefined ? {} : { authorization: basicOf(credentials) }, clientAddress, registry),
  };
}

/** A password without a name is a token, whose user is the nil UUID. */
function basicOf({ username = '00000000-0000-0000-0000-000000000000', password }: ImportCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
