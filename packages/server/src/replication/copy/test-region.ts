import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fact, FactAttribute } from '@berth/api';
import type { Content, RandomImage, TestEngine } from '@berth/testkit';
import type { Blobs } from '../../blobs/index.ts';
import type { Catalog } from '../../catalog/index.ts';
import { openMemoryStore, openSealedStore } from '../../platform/blob-store/index.ts';
import { createCollector } from '../../platform/garbage/index.ts';
import { WrappingKeyFile, openKeyRing } from '../../platform/keys/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { mergePage } from '../merge/merge-page.ts';
import { toldOf } from '../merge/told.ts';
import type { Peers } from '../peers/model.ts';
import type { Copying } from './index.ts';
import { contentOf } from './test-content.ts';
import { type Ground, type RegionOptions, nextStamp, partsOf, registryName } from './test-parts.ts';
import { type Link, peerOf } from './test-peer.ts';
import { type TestAnswer, type TestQuestion, answerOf } from './test-question.ts';
import { type ToldFact, stateOf } from './test-state.ts';
import { addReplica } from './test-transactions.ts';

/** One region over its own database, store and keys. */
export interface TestRegion {
  readonly name: string;
  readonly blobs: Blobs;
  readonly catalog: Catalog;
  readonly registry: Registry;
  readonly copying: Copying;
  /** The way to another region. */
  link(name: string): Link;
  /** As a client does. */
  ask(operation: string, question: TestQuestion): Promise<TestAnswer>;
  resolve(repository: string, reference: string): readonly Fact[] | undefined;
  /** Pushes here, as a client does; others know nothing of it yet. Returns what they are to be told. */
  push(repository: string, image: RandomImage, tags?: readonly string[]): Promise<readonly Fact[]>;
  pushManifest(repository: string, manifest: Content, tags?: readonly string[]): Promise<readonly Fact[]>;
  /** Merges what another region told, as a follower does. */
  hear(source: TestRegion, facts: readonly Fact[]): Promise<void>;
  /** Copies until the signal of the copier aborts. */
  start(): void;
  /** As if the process were killed: what is in the database and the store stays. */
  restarted(options?: RegionOptions): TestRegion;
  stop(): Promise<void>;
  /** Lets time pass for this region. */
  pass(ms: number): void;
  collect(): Promise<void>;
  /** Blobs of a repository. */
  linked(repository: string): Promise<number>;
  /** Bytes of uploads that are not blobs yet. */
  durableBytes(): Promise<number>;
  copiesInWork(): Promise<number>;
  /** What it has told others of itself, in order. */
  told(): Promise<readonly ToldFact[]>;
  /** Why manifests wait. */
  problems(): Promise<readonly (string | null)[]>;
  /** Whether a manifest that waits is somebody's to bring. */
  isClaimed(digest: string): Promise<boolean>;
  feed(region: string): Promise<{ readonly damaged_answers: number; readonly copied_bytes: number }>;
  lockRepository(repository: string): Promise<void>;
  /** Its bytes change in the store. */
  damage(digest: string): Promise<void>;
  hearDeletion(source: TestRegion, repository: string, digest: string): Promise<void>;
  hearAttributes(
    source: TestRegion,
    name: Pick<Fact, 'kind' | 'repository' | 'name'>,
    values: Readonly<Partial<Record<FactAttribute, number | string>>>,
  ): Promise<void>;
  has(repository: string, manifest: Content): Promise<boolean>;
  /** Lets the copier work until the manifest is complete here. */
  complete(repository: string, manifest: Content): Promise<void>;
  requireImage(repository: string, image: RandomImage): Promise<void>;
}

/** Regions that can ask one another. */
export async function openRegions<Names extends string>(
  engine: TestEngine,
  t: TestContext,
  names: readonly Names[],
  options: RegionOptions = {},
): Promise<Record<Names, TestRegion>> {
  const regions = new Map<string, TestRegion>();
  for (const name of names) {
    const others = names.filter((other) => other !== name);
    const database = await engine.open(t, { transactionsModule: new URL('./test-transactions.ts', import.meta.url) });
    const folder = await mkdtemp(join(tmpdir(), 'berth-copy-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs };
    const keys = await openKeyRing({ database, file: new WrappingKeyFile(join(folder, 'keys.json')), clock });
    const registryId = await database.write(addReplica, { region: name, registry: registryName, others });
    await keys.addDataKey(registryId);
    const files = openMemoryStore();
    const store = openSealedStore(files);
    const ground: Ground<TestRegion> = {
      t,
      name,
      others,
      database,
      keys,
      clock,
      files,
      store,
      registryId,
      regions,
      facts: new Map(),
    };
    regions.set(name, assemble(ground, options));
  }
  // Each name has just been set.
  return Object.fromEntries(regions) as Record<Names, TestRegion>;
}

function linksTo(names: readonly string[]): Record<string, Link> {
  const link = (): Link => ({
    isUp: true,
    breakAfterBytes: undefined,
    hangAfterBytes: undefined,
    isCorrupting: false,
    onBlob: () => undefined,
    onResolve: () => undefined,
  });
  return Object.fromEntries(names.map((name) => [name, link()]));
}

function assemble(ground: Ground<TestRegion>, options: RegionOptions): TestRegion {
  const { t, name, database, clock, registryId, regions } = ground;
  const links = linksTo(ground.others);
  const parts = partsOf({ ...ground, peers: peersOver(name, links, regions) }, options);
  const { logged, stopping, blobs, catalog, registry, context, copying } = parts;
  const routes = new Map([...blobs.routes, ...catalog.routes].map((route) => [route.operation.id, route]));
  const handlers = [...blobs.garbageHandlers, ...catalog.garbageHandlers];
  const collector = createCollector({ database, clock, log: context.log, handlers });
  let loops: readonly Promise<void>[] = [];
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([...loops, blobs.stop()]);
    await catalog.close();
  };
  t.after(stop);

  const region: TestRegion = {
    name,
    blobs,
    catalog,
    registry,
    copying,
    ask: (operation, question) => {
      const route = routes.get(operation);
      assert.ok(route !== undefined, `there is no operation ${operation}`);
      return answerOf(route, registry, question);
    },
    pass: (ms) => {
      clock.aheadMs += ms;
    },
    link: (other) => {
      const link = links[other];
      assert.ok(link !== undefined, `there is no way to ${other}`);
      return link;
    },
    ...stateOf(ground),
    ...contentOf({ ...ground, blobs, catalog }),
    hear: async (source, told) => {
      const page = { registryId, source: source.name, told: toldOf(told), toldAt: clock.now() };
      await mergePage(context, page);
    },
    hearDeletion: (source, repository, digest) =>
      region.hear(source, [{ kind: 'manifest', repository, name: digest, deleted: nextStamp(source.name) }]),
    hearAttributes: (source, of, values) => {
      const stamp = nextStamp(source.name);
      const attributes = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, ...stamp }]));
      return region.hear(source, [{ ...of, attributes }]);
    },
    start: () => {
      loops = copying.loops();
    },
    restarted: (changes = options) => {
      const next = assemble(ground, changes);
      regions.set(name, next);
      return next;
    },
    stop,
    collect: async () => void (await collector.runDue(stopping.signal)),
    has: async (repository, { digest }) => (await catalog.find({ registryId, repository, reference: digest })) !== undefined,
    complete: (repository, manifest) => until(() => region.has(repository, manifest), logged),
  };
  return region;
}

function peersOver(region: string, links: Readonly<Record<string, Link>>, regions: Map<string, TestRegion>): Peers {
  const find = (name: string): TestRegion => {
    const found = regions.get(name);
    assert.ok(found !== undefined, `there is no region ${name}`);
    return found;
  };
  const all = Object.entries(links).map(([name, link]) => peerOf(() => find(name), name, link));
  return { region, all: () => all, byName: (name) => all.find((peer) => peer.name === name), close: () => undefined };
}

const lookEveryMs = 5;

/** Looks again and again, beside what works, until something is so. */
export async function until(condition: () => Promise<boolean>, logged: readonly string[] = []): Promise<void> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    if (await condition()) return;
    await delay(lookEveryMs);
  }
  assert.fail(`it never came to be\n${logged.join('')}`);
}
