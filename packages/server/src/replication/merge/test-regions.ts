import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { createCatalog } from '../../catalog/index.ts';
import { type TestCatalog, garbageDelayMs, openTestCatalog } from '../../catalog/test-catalog.ts';
import type { ReadQueries } from '../../platform/database/index.ts';
import { FeedWaits } from '../feed/index.ts';
import type { Peer } from '../peers/model.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { completePending } from './complete-pending.ts';
import { claimPending, failPending, listMissing } from './pending.ts';
import { MemoryPeer } from './test-peer.ts';
import { mergePage } from './merge-page.ts';
import type { PageToMerge } from './model.ts';
import { replicate } from '../../catalog/test-transactions.ts';
import { nameRegion } from './test-transactions.ts';
import { toldOf } from './told.ts';

const mergeModule = new URL('./test-transactions.ts', import.meta.url);
const hourMs = 3_600_000;

/** A region in this process: a real catalog on a database of its own, and what other regions ask of it. */
export interface TestRegion {
  readonly name: string;
  readonly catalog: TestCatalog;
  readonly registryId: number;
  readonly context: ReplicationContext;
  /** As another region sees it. Nothing of it answers while `isCut()`. */
  peerFor(asker: string, isCut?: () => boolean): MemoryPeer;
  merge(page: Omit<PageToMerge, 'registryId'>): ReturnType<typeof mergePage>;
  /** Brings what pending manifests need, manifests from others, blobs from nowhere, and completes them. How many were completed. */
  complete(limit: number, others: readonly TestRegion[]): Promise<number>;
}

/** What all blobs of a test hold, by digest. */
export type Contents = ReadonlyMap<string, string>;

export async function openRegions(
  engine: TestEngine,
  t: TestContext,
  names: readonly string[],
  transactionsModule = mergeModule,
): Promise<(contents: Contents) => Promise<readonly TestRegion[]>> {
  const opened = await Promise.all(
    names.map(async (name) => {
      const database = await engine.open(t, { transactionsModule });
      const catalog = await openTestCatalog(engine, t, { database });
      await database.write(nameRegion, { region: name });
      return { name, catalog };
    }),
  );
  /** Regions that know nothing yet: a registry of their own in each. */
  return (contents) =>
    Promise.all(
      opened.map(async ({ name, catalog }) => testRegion(t, { name, catalog: await catalog.otherRegistry(), contents })),
    );
}

interface Parts {
  readonly name: string;
  readonly catalog: TestCatalog;
  readonly contents: Contents;
}

async function testRegion(t: TestContext, { name, catalog, contents }: Parts): Promise<TestRegion> {
  const registryId = catalog.registry.id;
  await catalog.database.write(replicate, { id: registryId });
  const waits = new FeedWaits(100);
  const context = contextOf(t, catalog, waits);
  return {
    name,
    catalog,
    registryId,
    context,
    peerFor: (asker, isCut = () => false) => new MemoryPeer({ name, catalog, waits, asker, isCut }),
    merge: (page) => mergePage(context, { registryId, ...page }),
    complete: (limit, others) =>
      completeSome({ catalog, context, registryId, contents, peers: others.map((other) => other.peerFor(name)) }, limit),
  };
}

function contextOf(t: TestContext, catalog: TestCatalog, waits: FeedWaits): ReplicationContext {
  const { database, keys, clock } = catalog;
  const log = pino({ level: 'error' }, { write: (line: string) => void catalog.logged.push(line) });
  const inspecting = createCatalog({
    database,
    keys,
    clock,
    log,
    garbageDelayMs,
    manifestCacheBytes: 0,
    readBlob: async () => undefined,
  });
  t.after(() => inspecting.close());
  const parts = {
    database,
    keys,
    clock,
    log,
    catalog: inspecting,
    settings: { maxClockSkewMs: hourMs, garbageDelayMs },
    bells: {
      changed: (registryId: number) => waits.ring(registryId),
      tagsMoved: () => undefined,
      pending: () => undefined,
      replicas: () => undefined,
      onPending: () => undefined,
      onReplicas: () => undefined,
    },
    signal: t.signal,
  };
  // What merging does not touch is not here.
  return parts as unknown as ReplicationContext;
}

interface CompletingParts extends Omit<Parts, 'name'> {
  readonly context: ReplicationContext;
  readonly registryId: number;
  readonly peers: readonly Peer[];
}

async function completeSome({ catalog, context, registryId, contents, peers }: CompletingParts, limit: number): Promise<number> {
  const claimed = await claimPending(context, { registryId, limit });
  let completed = 0;
  for (const pending of claimed) {
    const { repository, digest: reference, hasBytes } = pending;
    for (const peer of hasBytes ? [] : peers) {
      const facts = await peer.resolve('', { repository, reference }, new AbortController().signal);
      if (facts !== undefined) await mergePage(context, { registryId, source: peer.name, told: toldOf(facts), toldAt: 1 });
    }
    for (const { digest, isManifest } of await listMissing(context, pending)) {
      const content = contents.get(digest);
      if (!isManifest && content !== undefined) await catalog.pushBlob(pending.repository, content);
    }
    const completion = await completePending(context, pending.id);
    if (completion === 'complete') completed += 1;
    if (completion === 'incomplete') await failPending(context, { id: pending.id, problem: null, retryAfterMs: 0 });
  }
  return completed;
}

const flags = ['delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'] as const;

/** Everything that clients see of a region: by repository, manifests and tags with their attributes. */
export async function contentOf({ catalog, registryId }: TestRegion): Promise<Readonly<Record<string, unknown>>> {
  const { read } = catalog.database;
  const repositories = await read
    .selectFrom('repositories')
    .select(['id', 'name', ...flags])
    .where('registry_id', '=', registryId)
    .where('deleted_at', 'is', null)
    .where('manifest_count', '>', 0)
    .orderBy('name')
    .execute();
  const content: Record<string, unknown> = {};
  for (const { id, name, ...attributes } of repositories)
    content[name] = { attributes, ...(await contentOfRepository(read, { id, name })) };
  return content;
}

async function contentOfRepository(
  read: ReadQueries,
  { id, name }: { readonly id: number; readonly name: string },
): Promise<{ readonly manifests: readonly unknown[]; readonly tags: readonly unknown[] }> {
  const counts = () =>
    read.selectFrom('repositories').select(['manifest_count', 'tag_count']).where('id', '=', id).executeTakeFirst();
  for (;;) {
    const before = await counts();
    const manifests = await read
      .selectFrom('manifests')
      .select(['digest', 'media_type', 'quarantine_state', ...flags])
      .where('repository_id', '=', id)
      .orderBy('digest')
      .execute();
    const tags = await read
      .selectFrom('tags')
      .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
      .select(['tags.name', 'manifests.digest'])
      .select(flags.map((flag) => `tags.${flag}` as const))
      .where('tags.repository_id', '=', id)
      .orderBy('tags.name')
      .execute();
    const after = await counts();
    // Otherwise somebody wrote between the reads.
    if (!isDeepStrictEqual(before, after)) continue;
    if (after !== undefined)
      assert.deepEqual(after, { manifest_count: manifests.length, tag_count: tags.length }, `the counts of ${name}`);
    return { manifests, tags };
  }
}

/** Lets two regions tell each other everything that they know, once. True: one of them learned something. */
export async function readSnapshotOf(from: TestRegion, to: TestRegion, limit = 50): Promise<boolean> {
  const peer = from.peerFor(to.name);
  let learned = false;
  for (let after: string | undefined; ; ) {
    const page = await peer.snapshot('', { after, limit });
    const merged = await to.merge({ source: from.name, told: toldOf(page.facts), toldAt: page.now, isSnapshot: true });
    learned ||= merged.advanced > 0;
    if (page.next === null) return learned;
    after = page.next;
  }
}
