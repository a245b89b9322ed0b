import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BaseImageUse } from '@berth/api';
import { mediaTypes, parseDigest } from '@berth/oci';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { createBlobs } from '../blobs/index.ts';
import { type Catalog, createCatalog } from '../catalog/index.ts';
import { RegistryError } from '../errors/index.ts';
import { openMemoryStore, openSealedStore } from '../platform/blob-store/index.ts';
import { type ManagedKeyRing, WrappingKeyFile, openKeyRing } from '../platform/keys/index.ts';
import { createOutbound } from '../platform/outbound/index.ts';
import { type Registries, ensureRegistry, openRegistries } from '../registries/index.ts';
import { Fields, putChild } from '../resources/index.ts';
import { deleteChild } from '../resources/transactions.ts';
import { type RunFacts, type Runs, type RunsOptions, createRuns } from '../runs/index.ts';
import { testCredentials } from '../runs/test-credentials.ts';
import { type TaskOverrides, createTasks } from '../tasks/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { decideDue } from './base-images/decide-due.ts';
import { followMovedTags } from './base-images/follow-moved-tags.ts';
import { BaseImageLooks } from './base-images/look.ts';
import { baseImagesOf } from './base-images/queries.ts';
import { pollDue } from './base-images/poll.ts';
import type { StoredBaseImage } from './base-images/transactions.ts';
import { decisionsOf } from './decisions/queries.ts';
import { reconcile } from './reconcile.ts';
import { finishRun } from './test-transactions.ts';
import { runDueTimers } from './timers/run-due.ts';
import type { TriggerLimits, TriggersContext } from './triggers-context.ts';

export const baseImageTrigger = { name: 'bases', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;

export interface TestBase {
  readonly repository: string;
  readonly digest: string;
  /** Default: `latest`. */
  readonly tag?: string | null;
  /** Default: `runtime`. */
  readonly role?: 'runtime' | 'buildtime';
  /** Default: the registry's own. */
  readonly server?: string;
}

/** Triggers over a real database, real runs, tasks and manifests. Nothing happens by itself: tests take each step. */
export interface TestTriggers {
  readonly context: TriggersContext;
  readonly registry: Registry;
  readonly clock: { time: number; now(): number };
  readonly catalog: Catalog;
  readonly logged: string[];
  /** Whom registries of this deployment let read their tags: the passwords. */
  readonly readers: Set<string>;
  /** Another registry of the deployment. */
  neighbour(): Promise<Registry>;
  put(task: string, trigger: object, more?: object): Promise<void>;
  drop(task: string): Promise<void>;
  /** Moves a tag to a new manifest, or to one that was pushed before. */
  push(repository: string, more?: PushMore): Promise<string>;
  /** Queues a run as somebody who asks for it would. */
  run(task: string, overrides?: TaskOverrides): Promise<RunFacts>;
  /** Ends a run, and lets it be seen. */
  finish(run: RunFacts | string, bases: readonly TestBase[], more?: FinishMore): Promise<void>;
  /** Follows what moved, and decides. */
  follow(): Promise<void>;
  poll(): Promise<void>;
  tick(): Promise<void>;
  runs(task: string): Promise<readonly RunFacts[]>;
  reasons(task: string): Promise<readonly string[]>;
  images(task: string): Promise<readonly StoredBaseImage[]>;
}

export interface PushMore {
  readonly runId?: string;
  readonly digest?: string;
  readonly tag?: string;
  /** What the index holds, digests of what was pushed before. */
  readonly images?: readonly string[];
  /** Default: the registry's own. */
  readonly registryId?: number;
}

export interface FinishMore {
  readonly status?: 'Succeeded' | 'Failed' | 'Running';
  readonly pushed?: readonly { readonly repository: string; readonly digest: string }[];
}

export interface TestTriggersOptions extends Partial<TriggerLimits> {
  readonly maxQueued?: number;
}

export async function openTestTriggers(
  engine: TestEngine,
  t: TestContext,
  { maxQueued = 10_000, ...limits }: TestTriggersOptions = {},
): Promise<TestTriggers> {
  const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
  const folder = await mkdtemp(join(tmpdir(), 'berth-triggers-'));
  const clock = { time: Date.UTC(2030, 0, 1), now: () => clock.time };
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (text: string) => void logged.push(text) });
  const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
  const loginServer = (): string => 'local.example';
  const registries = await openRegistries({ database, keys, clock, loginServer, isAnonymousPullEnabled: false, region: 'test' });
  const registry = registries.local;
  const stopping = new AbortController();
  const { signal } = stopping;
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  const common = { database, keys, clock, log };
  const store = openSealedStore(openMemoryStore());
  const blobs = createBlobs({ ...common, store, uploadExpiryMs: 86_400_000, garbageDelayMs: 86_400_000 });
  const catalog = createCatalog({ ...common, garbageDelayMs: 86_400_000, readBlob: blobs.read, manifestCacheBytes: 1 << 20 });
  const runs = runsOver({ ...common, store, signal, registries, maxQueued });
  const tasks = createTasks({ ...common, runs, outbound, keyVault: noVault, region: 'test', signal });
  t.after(async () => {
    stopping.abort();
    outbound.close();
    await runs.stop();
    await catalog.close();
    await rm(folder, { recursive: true, force: true });
  });
  const readers = new Set<string>();
  const context: TriggersContext = {
    ...common,
    outbound,
    tasks,
    runs,
    registries,
    digestOf: (registryId, { repository, tag }) => catalog.find({ registryId, repository, reference: tag }),
    digestFor: async (home, { repository, tag }, credentials) => {
      if (!readers.has(credentials?.password ?? '')) throw new RegistryError('DENIED');
      const digest = await catalog.find({ registryId: home.id, repository, reference: tag });
      assert.ok(digest !== undefined);
      return digest;
    },
    manifestOf: (registryId, { repository, digest: reference }) =>
      catalog.read({ registryId, repository, reference, hidesQuarantined: false }).catch(() => undefined),
    publicOrigin: () => undefined,
    limits: { pollIntervalMs: 900_000, runsPerHour: 12, settleMs: 0, ...limits },
    signal,
  };
  const looks = new BaseImageLooks(context);
  return {
    ...steps(context, { registry, catalog, looks }),
    context,
    registry,
    clock,
    catalog,
    logged,
    readers,
    neighbour: () => addNeighbour(context, registries, keys),
  };
}

async function addNeighbour(
  { database, clock }: TriggersContext,
  registries: Registries,
  keys: ManagedKeyRing,
): Promise<Registry> {
  const facts = { name: 'neighbour', resourceGroup: 'berth', location: 'test', plan: 'Premium' } as const;
  const now = clock.now();
  await database.write(ensureRegistry, { ...facts, isAnonymousPullEnabled: false, tags: {}, properties: {}, by: '', now });
  await registries.refresh();
  const made = registries.byName('neighbour');
  assert.ok(made !== undefined);
  await keys.addDataKey(made.id);
  return made;
}

interface Ground extends Pick<RunsOptions, 'clock' | 'database' | 'keys' | 'log' | 'signal' | 'store'> {
  readonly registries: Registries;
  readonly maxQueued: number;
}

function runsOver({ registries, maxQueued, ...ground }: Ground): Runs {
  return createRuns({
    ...ground,
    metrics: { ...silent, scrape: async () => ({ contentType: '', text: '' }) },
    limits: {
      runRetentionMs: 30 * 86_400_000,
      maxSourceSizeBytes: 2 ** 20,
      runsAtOnce: 100,
      queueTimeoutMs: 86_400_000,
      maxQueued,
    },
    registryById: (id) => registries.byId(id),
    credentials: testCredentials(),
    untag: async () => undefined,
    resolveSecrets: async () => [],
  });
}

const silent = {
  gauge: () => undefined,
  gauges: () => undefined,
  counter: () => undefined,
  observeRequest: () => undefined,
  observeStoreCall: () => undefined,
};

const noVault = {
  keyVaults: [],
  keyVaultTenant: undefined,
  keyVaultClientId: undefined,
  keyVaultClientSecret: undefined,
  keyVaultAuthority: 'https://login.microsoftonline.com',
};

interface Parts {
  readonly registry: Registry;
  readonly catalog: Catalog;
  readonly looks: BaseImageLooks;
}

function steps(
  context: TriggersContext,
  { registry, catalog, looks }: Parts,
): Omit<TestTriggers, 'context' | 'registry' | 'clock' | 'catalog' | 'logged' | 'neighbour' | 'readers'> {
  const { database, clock, runs, tasks } = context;
  const contents = new Map<string, Buffer>();
  const find = async (name: string) => {
    const task = await tasks.find(registry.id, name);
    assert.ok(task !== undefined);
    return task;
  };
  return {
    put: async (name, trigger, more = {}) => {
      await putTask(context, { registry, name, properties: { ...dockerTask(name), trigger, ...more } });
      await reconcile(context, { registryId: registry.id, task: name });
    },
    drop: async (name) => {
      await removeTask(context, registry, name);
      await reconcile(context, { registryId: registry.id, task: name });
    },
    push: async (repository, { runId, digest: known, tag = 'latest', images = [], registryId = registry.id } = {}) => {
      const bytes = contents.get(known ?? '') ?? indexOf(images, contents);
      const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
      contents.set(digest, bytes);
      const place = { registryId, repository };
      await catalog.push({
        ...place,
        digest,
        bytes,
        mediaType: mediaTypes.ociIndex,
        tags: [tag],
        mayMoveTags: true,
        ...(runId && { runId }),
      });
      return digest;
    },
    run: async (name, overrides = {}) => tasks.run({ registry, task: await find(name), requestedBy: 'admin:test', overrides }),
    finish: async (run, bases, { status = 'Succeeded', pushed = [] } = {}) => {
      const facts = typeof run === 'string' ? await runs.find(registry.id, run) : run;
      assert.ok(facts !== undefined);
      const dependencies = [{ step: 'build', image: null, bases: bases.map((base) => useOf(registry, base)), gitCommit: null }];
      const images = pushed.map((image) => ({ registry: registry.loginServer, tag: 'latest', ...image }));
      await database.write(finishRun, {
        rowId: facts.rowId,
        status,
        dependencies: JSON.stringify(dependencies),
        images: JSON.stringify(images),
        now: clock.now(),
      });
      if (facts.task !== null) await reconcile(context, { registryId: registry.id, task: facts.task });
    },
    follow: async () => {
      await followMovedTags(context);
      await decideDue(context, looks);
    },
    poll: () => pollDue(context, looks),
    tick: () => runDueTimers(context),
    runs: (task) => runs.list({ registryId: registry.id, task, limit: 1_000 }),
    reasons: async (task) =>
      (await decisionsOf(database.read, { registryId: registry.id, task, limit: 1_000 })).map(({ reason }) => reason),
    images: (task) => baseImagesOf(database.read, { registryId: registry.id, task }),
  };
}

function dockerTask(name: string): object {
  const step = {
    type: 'Docker',
    contextPath: 'https://git.example/app.git',
    imageNames: [`${name}:latest`],
    dockerFilePath: 'Dockerfile',
  };
  return { platform: { os: 'Linux', architecture: 'amd64' }, step };
}

interface TaskToPut {
  readonly registry: Registry;
  readonly name: string;
  readonly properties: object;
}

async function putTask(context: TriggersContext, { registry, name, properties }: TaskToPut): Promise<void> {
  const { kind, children } = childrenOf(context);
  const document = new Fields({ properties }, '');
  await putChild(children, kind, { registry, name, document, by: 'test', requestedBy: 'admin:test', location: 'test', tags: {} });
}

async function removeTask({ database }: TriggersContext, registry: Registry, name: string): Promise<void> {
  await database.write(deleteChild, { registryId: registry.id, kind: 'tasks', name });
}

function childrenOf({ database, clock, tasks }: TriggersContext) {
  const [kind] = tasks.kinds;
  assert.ok(kind !== undefined);
  return { kind, children: { database, clock, kinds: tasks.kinds, limitOf: () => undefined } };
}

function useOf(registry: Registry, { repository, digest, tag = 'latest', role = 'runtime', server }: TestBase): BaseImageUse {
  return { role, registry: server ?? registry.loginServer, repository, tag, digest };
}

/** Always another one. Without images it is a manifest that needs nothing else, and stands for an image. */
function indexOf(images: readonly string[], contents: ReadonlyMap<string, Buffer>): Buffer {
  const annotations = { n: randomUUID() };
  const manifests = images.map((digest) => ({
    mediaType: mediaTypes.ociIndex,
    digest,
    size: contents.get(digest)?.length,
    platform: { os: 'linux', architecture: 'amd64' },
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations }));
}
