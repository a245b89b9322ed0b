import type { FactRequest, Stamp } from '@berth/api';
import { notePull } from '../../catalog/index.ts';
import { changeRow, compareStamps, logFacts, timeOf } from '../../changes/index.ts';
import { type RegionFeedRow, type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import type { MergedPage, Told } from './model.ts';
import type { ManifestToAwait, SealedManifest } from './pending-rows.ts';
import { type Touched, effectOf, project } from './project.ts';
import { RepositoryRegisters } from './repository-registers.ts';
import { type Scene, lockRepository } from './scene.ts';
import { stampOf } from './told.ts';

export interface ToldToMerge extends Told {
  /** Of a manifest whose bytes came along. The fact has none. */
  readonly content?: SealedManifest;
}

export interface MergeFacts {
  readonly registryId: number;
  readonly source: string;
  readonly told: readonly ToldToMerge[];
  readonly toldAt: number;
  readonly isSnapshot: boolean;
  readonly damaged: number;
  /** What the follower of this feed comes to; written with the page, or not at all. */
  readonly feed?: FeedProgress;
  readonly now: number;
  readonly dueAt: number;
}

export interface FeedProgress {
  /** Who follows. Nothing is written for anybody else. */
  readonly holder: string;
  readonly set: Partial<
    Pick<RegionFeedRow, 'cursor' | 'snapshot_after' | 'snapshot_cursor' | 'state' | 'answered_at' | 'behind' | 'skew_ms'>
  > & { readonly problem: null; readonly remedy: null };
}

export interface FactsMerged extends Omit<MergedPage, 'damaged'> {
  readonly areTagsMoved: boolean;
  /** Something was written into the change log. */
  readonly isLogged: boolean;
  /** False: another process follows this feed now. */
  readonly isHeld: boolean;
}

const nothing: FactsMerged = { advanced: 0, pending: 0, conflicts: 0, areTagsMoved: false, isLogged: false, isHeld: true };

/**
 * Joins what another region told into the registers, makes the content here look like them, and tells it on. Any page can come
 * any number of times, in any order. Locks and quotas are not asked: where it was done they let it pass.
 */
export const mergeFacts = defineTransaction('replication.merge-facts', async (tx, input: MergeFacts): Promise<FactsMerged> => {
  const log = await logFacts.first(tx, { registryId: input.registryId });
  if (log === undefined) return nothing;
  const page: Page = { tx, input, region: log.region, beganAt: input.isSnapshot ? await beganAt(tx, input.registryId) : 0 };
  const merged = { ...nothing };
  const byRepository = Map.groupBy(input.told, ({ fact }) => fact.repository);
  // In one order, so that two processes cannot wait for each other (PostgreSQL).
  for (const [repository, told] of [...byRepository].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const one = await mergeRepository(page, repository, told);
    merged.advanced += one.advanced;
    merged.pending += one.pending;
    merged.conflicts += one.conflicts;
    merged.areTagsMoved ||= one.areTagsMoved;
    merged.isLogged ||= one.isLogged;
  }
  const isHeld = await noteProgress(tx, input, merged.conflicts);
  return { ...merged, isHeld };
});

interface Page {
  readonly tx: WriteQueries;
  readonly input: MergeFacts;
  /** This one. */
  readonly region: string;
  /** What was done before (ms) is no news here. */
  readonly beganAt: number;
}

/** When this region began to hold the registry (ms). 0: it is at home here, and follows others some time after they began. */
async function beganAt(tx: WriteQueries, registryId: number): Promise<number> {
  const registry = await tx.selectFrom('registries').select('home_region').where('id', '=', registryId).executeTakeFirst();
  if (registry === undefined || registry.home_region === null) return 0;
  const row = await tx
    .selectFrom('region_feeds')
    .select(({ fn }) => fn.min('created_at').as('at'))
    .where('registry_id', '=', registryId)
    .executeTakeFirst();
  return row?.at ?? 0;
}

async function mergeRepository(page: Page, repository: string, told: readonly ToldToMerge[]): Promise<Writable<FactsMerged>> {
  const { tx, input, region } = page;
  const { registryId, now, dueAt } = input;
  const isMade = told.some(({ fact }) => fact.set !== undefined);
  const { id: repositoryId, isNew } = await lockRepository(tx, { registryId, repository }, { isMade, now });
  const registers = new RepositoryRegisters(tx, registryId, repository);
  const scene: Scene = { tx, registryId, repository, repositoryId, registers, now, dueAt };
  const touched: Touched = { manifests: new Set(), tags: new Set(), isRepository: isNew };
  await registers.load('repository', ['']);
  for (const kind of ['manifest', 'tag'] as const)
    await registers.load(
      kind,
      told.flatMap(({ fact }) => (fact.kind === kind ? fact.name : [])),
    );
  const advanced: ToldToMerge[] = [];
  let conflicts = 0;
  for (const one of told) {
    const { isAdvanced, isConflict, register } = registers.join(one.fact);
    // Counted where the one that won was done: there it is known that neither had seen the other.
    if (isConflict && register.set.origin === region) conflicts += 1;
    if (isAdvanced) advanced.push(one);
    if (isAdvanced || one.content !== undefined) touch(touched, one);
  }
  await registers.load(
    'manifest',
    told.flatMap(({ fact }) => (fact.kind === 'tag' ? (registers.get('tag', fact.name).set.digest ?? []) : [])),
  );
  await registers.save();
  const projected = await project(scene, touched, describerOf(page, told));
  await notePulls(scene, told);
  const isLogged = await tellOn(page, scene, { advanced, projected });
  const { pending, areTagsMoved } = projected;
  return { advanced: advanced.length, pending, conflicts, areTagsMoved, isLogged, isHeld: true };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function touch(touched: Touched, { fact }: ToldToMerge): void {
  if (fact.kind === 'repository') touched.isRepository = true;
  else if (fact.kind === 'manifest') touched.manifests.add(fact.name);
  else touched.tags.add(fact.name);
}

/** The last word on each manifest of a page. */
function describerOf({ input, beganAt: began }: Page, told: readonly ToldToMerge[]): (digest: string) => ManifestToAwait {
  const contents = new Map<string, SealedManifest>();
  const news = new Map<string, FactRequest | undefined>();
  for (const { fact, content } of told) {
    const digest = fact.kind === 'manifest' ? fact.name : fact.set?.digest;
    if (digest === undefined) continue;
    if (content !== undefined) contents.set(digest, content);
    if (isNews(fact.set, began)) news.set(digest, fact.request ?? news.get(digest));
  }
  return (digest) => ({
    digest,
    content: contents.get(digest),
    source: input.source,
    toldAt: input.toldAt,
    isNews: news.has(digest),
    request: news.get(digest),
  });
}

function isNews(set: Stamp | undefined, began: number): boolean {
  return set !== undefined && timeOf(set.clock) >= began;
}

/**
 * Writes what was new here into this region's own log, for regions that hear of it from here. What waits for content is told
 * once it is complete. But of that the latest deed is noted at once, unseen: whoever acts here has seen it, and acts after it.
 */
async function tellOn(
  { tx, input, beganAt: began }: Page,
  scene: Scene,
  { advanced, projected }: { readonly advanced: readonly ToldToMerge[]; readonly projected: Awaited<ReturnType<typeof project>> },
): Promise<boolean> {
  const rows = [];
  let latest: (Told & { readonly stamp: Stamp }) | undefined;
  const late = new Set<string>();
  for (const { action, isVisible, fact } of advanced) {
    const stamp = stampOf(fact);
    if (stamp === undefined) continue;
    const effect = effectOf(scene, fact, projected);
    if (effect === 'later') {
      if (latest === undefined || compareStamps(stamp, latest.stamp) > 0) latest = { action, isVisible: false, fact, stamp };
      if (fact.kind === 'tag' && fact.set?.digest !== undefined && isNews(fact.set, began)) late.add(fact.set.digest);
      continue;
    }
    const isSeen = effect === 'seen' && isVisible && timeOf(stamp.clock) >= began;
    rows.push(changeRow({ registryId: input.registryId, stamp, action, fact, isVisible: isSeen, now: input.now }));
  }
  if (latest !== undefined) rows.push(changeRow({ registryId: input.registryId, now: input.now, ...latest }));
  for (let start = 0; start < rows.length; start += rowsPerStatement)
    await tx
      .insertInto('changes')
      .values(rows.slice(start, start + rowsPerStatement))
      .execute();
  await markNews(scene, [...late]);
  return rows.length > 0;
}

const rowsPerStatement = 200;

/** A tag was set while its manifest was on its way: that is news, though the manifest may be none. */
async function markNews({ tx, registryId, repository }: Scene, digests: readonly string[]): Promise<void> {
  if (digests.length === 0) return;
  await tx
    .updateTable('pending_manifests')
    .set({ is_news: 1 })
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', 'in', digests)
    .execute();
}

/** The last pull in any region counts for retention everywhere. */
async function notePulls({ tx, registryId, repository }: Scene, told: readonly ToldToMerge[]): Promise<void> {
  for (const { fact } of told)
    if (fact.kind === 'manifest' && fact.pulledAt !== undefined)
      await notePull(tx, { registryId, repository, digest: fact.name, pulledAt: fact.pulledAt });
}

/** False: the feed is followed by another process now. */
async function noteProgress(tx: WriteQueries, input: MergeFacts, conflicts: number): Promise<boolean> {
  const { registryId, source, feed, damaged, toldAt } = input;
  if (conflicts > 0 || damaged > 0)
    await tx
      .updateTable('region_feeds')
      .set((eb) => ({ conflicts: eb('conflicts', '+', conflicts), damaged_answers: eb('damaged_answers', '+', damaged) }))
      .where('registry_id', '=', registryId)
      .where('region', '=', source)
      .execute();
  if (feed === undefined) return true;
  const isAtEnd = feed.set.behind === 0;
  const updated = await tx
    .updateTable('region_feeds')
    .set({ ...feed.set, ...(isAtEnd && { complete_until: await completeUntil(tx, { registryId, source, toldAt }) }) })
    .where('registry_id', '=', registryId)
    .where('region', '=', source)
    .where('held_by', '=', feed.holder)
    .returning('region')
    .execute();
  return updated.length > 0;
}

/** The time of the other region up to which all that it told is complete here, once its feed is read to the end. */
async function completeUntil(
  tx: WriteQueries,
  { registryId, source, toldAt }: Pick<MergeFacts, 'registryId' | 'source' | 'toldAt'>,
): Promise<number> {
  const row = await tx
    .selectFrom('pending_manifests')
    .select(({ fn }) => fn.min('told_at').as('at'))
    .where('registry_id', '=', registryId)
    .where('source', '=', source)
    .executeTakeFirst();
  return row === undefined || row.at === null ? toldAt : Math.min(toldAt, row.at);
}
