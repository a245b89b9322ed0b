import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Change, Fact } from '@berth/api';
import type { TestEngine } from '@berth/testkit';
import { pino } from 'pino';
import { createCatalog, manifestSeal } from '../../catalog/index.ts';
import { type TestCatalog, garbageDelayMs, openTestCatalog } from '../../catalog/test-catalog.ts';
import { readChanges, readSnapshot } from '../../changes/index.ts';
import { RegistryError } from '../../errors/index.ts';
import { openBytes } from '../../platform/sealing/index.ts';
import { FeedWaits } from '../feed/index.ts';
import { type ChangePage, type ChangesFrom, type Peer, PeerError, type SnapshotPage, feedVersion } from '../peers/model.ts';
import type { ReplicationContext } from '../replication-context.ts';
import { completePending } from './complete-pending.ts';
import { claimPending, failPending, listMissing } from './pending.ts';
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
  peerFor(asker: string, isCut?: () => boolean): Peer;
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

interface MemoryPeerParts {
  readonly name: string;
  readonly catalog: TestCatalog;
  readonly waits: FeedWaits;
  readonly asker: string;
  readonly isCut: () => boolean;
}

/** A region that is asked by calling the functions that its routes call. */
class MemoryPeer implements Peer {
  readonly #parts: MemoryPeerParts;

  constructor(parts: MemoryPeerParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.name;
  }

  get address(): string {
    return `https://${this.#parts.name}.example`;
  }

  get isUp(): boolean {
    return !this.#parts.isCut();
  }

  facts(): ReturnType<Peer['facts']> {
    const now = this.#parts.catalog.clock.now();
    return this.#answer(async () => ({
      region: this.name,
      now,
      version: '1.0.0',
      feedVersion,
      registries: [],
      removed: [],
      refused: [],
      tokenKeys: [],
    }));
  }

  settings(): Promise<never> {
    return assert.fail('nobody asks for settings here');
  }

  changes(
    _registry: string,
    { after, limit, waitSeconds, withOwn = false }: ChangesFrom,
    signal: AbortSignal,
  ): Promise<ChangePage> {
    const { catalog, waits, asker } = this.#parts;
    const { database, registry, clock } = catalog;
    const look = () =>
      readChanges(database, {
        registryId: registry.id,
        after,
        limit,
        except: withOwn ? undefined : asker,
        tombstoneRetentionMs: 365 * 24 * hourMs,
        now: clock.now(),
      });
    return this.#answer(async () => {
      const page = await waits.until(registry.id, {
        look,
        isEnough: ({ changes, next }) => changes.length > 0 || next !== after,
        waitMs: waitSeconds * 1000,
        lookEveryMs: 200,
        signal,
      });
      const changes = await Promise.all(
        page.changes.map(async (change): Promise<Change> => ({ ...change, fact: await this.#withContent(change.fact) })),
      );
      return { ...page, changes, now: clock.now() };
    });
  }

  snapshot(
    _registry: string,
    { after, limit = 200 }: { readonly after: string | undefined; readonly limit?: number },
  ): Promise<SnapshotPage> {
    const { database, registry, clock } = this.#parts.catalog;
    return this.#answer(async () => {
      const page = await readSnapshot(database, { registryId: registry.id, after, limit, now: clock.now() });
      const facts = await Promise.all(page.facts.map((fact) => this.#withContent(fact)));
      return { facts, next: page.next ?? null, cursor: page.cursor, total: page.total ?? null, now: clock.now() };
    });
  }

  resolve(_registry: string, { repository, reference }: { readonly repository: string; readonly reference: string }) {
    const stamp = { clock: 1, origin: this.name };
    return this.#answer(async () => {
      const fact = await this.#withContent({ kind: 'manifest', repository, name: reference, set: stamp });
      return fact.content === undefined ? undefined : [fact];
    });
  }

  blob(): Promise<never> {
    return assert.fail('nobody asks for blobs here');
  }

  status(): Promise<never> {
    return assert.fail('nobody asks for the status here');
  }

  async #answer<T>(answer: () => Promise<T>): Promise<T> {
    const cut = () =>
      new PeerError('unreachable', { region: this.name, message: `${this.name} cannot be reached`, remedy: 'Mend the link.' });
    if (this.#parts.isCut()) throw cut();
    try {
      const answered = await answer();
      // An answer can be lost on its way, too.
      if (this.#parts.isCut()) throw cut();
      return answered;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const kind = error.error === 'CURSOR_UNKNOWN' ? 'cursor-unknown' : error.error === 'REPLICA_TOO_OLD' ? 'too-old' : 'failed';
      throw new PeerError(kind, { region: this.name, message: error.message, remedy: '' });
    }
  }

  async #withContent(fact: Fact): Promise<Fact> {
    if (fact.kind !== 'manifest' || fact.set === undefined) return fact;
    const { database, keys, registry } = this.#parts.catalog;
    const live = await database.read
      .selectFrom('manifests')
      .innerJoin('repositories', 'repositories.id', 'manifests.repository_id')
      .select(['manifests.media_type', 'manifests.data_key_id', 'manifests.sealed_content'])
      .where('repositories.registry_id', '=', registry.id)
      .where('repositories.name', '=', fact.repository)
      .where('repositories.deleted_at', 'is', null)
      .where('manifests.digest', '=', fact.name)
      .executeTakeFirst();
    const row =
      live ??
      (await database.read
        .selectFrom('pending_manifests')
        .select(['media_type', 'data_key_id', 'sealed_content'])
        .where('registry_id', '=', registry.id)
        .where('repository', '=', fact.repository)
        .where('digest', '=', fact.name)
        .executeTakeFirst());
    if (row === undefined || row.sealed_content === null) return fact;
    const bytes = openBytes(keys.get(registry.id, row.data_key_id), manifestSeal(registry.id, fact.name), row.sealed_content);
    return { ...fact, content: { mediaType: row.media_type, sizeBytes: bytes.length, bytes: bytes.toString('base64') } };
  }
}

/** Everything that clients see of a region: by repository, manifests and tags with their attributes. */
export async function contentOf({ catalog, registryId }: TestRegion): Promise<Readonly<Record<string, unknown>>> {
  const { read } = catalog.database;
  const flags = ['delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'] as const;
  const repositories = await read
    .selectFrom('repositories')
    .select(['id', 'name', ...flags])
    .where('registry_id', '=', registryId)
    .where('deleted_at', 'is', null)
    .where('manifest_count', '>', 0)
    .orderBy('name')
    .execute();
  const content: Record<string, unknown> = {};
  for (const { id, name, ...attributes } of repositories) {
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
    const counted = await read
      .selectFrom('repositories')
      .select(['manifest_count', 'tag_count'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    assert.deepEqual(counted, { manifest_count: manifests.length, tag_count: tags.length }, `the counts of ${name}`);
    content[name] = { attributes, manifests, tags };
  }
  return content;
}

/** Lets two regions tell each other everything that they know, once. True: one of them learned something. */
export async function readSnapshotOf(from: TestRegion, to: TestRegion, limit = 50): Promise<boolean> {
  const peer = from.peerFor(to.name) as MemoryPeer;
  let learned = false;
  for (let after: string | undefined; ; ) {
    const page = await peer.snapshot('', { after, limit });
    const merged = await to.merge({ source: from.name, told: toldOf(page.facts), toldAt: page.now, isSnapshot: true });
    learned ||= merged.advanced > 0;
    if (page.next === null) return learned;
    after = page.next;
  }
}
