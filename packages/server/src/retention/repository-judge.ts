import type { ReadQueries } from '../platform/database/index.ts';
import { breathe } from './breathe.ts';
import {
  type ManifestItem,
  type Position,
  type RepositoryItem,
  type RepositoryPlan,
  type Selection,
  type TagItem,
  isOlder,
} from './model.ts';
import { manifestByDigest, manifestsBefore, parentsOf, tagsBefore, tagsOf } from './queries.ts';

/** More tags or parents than this are not looked through: the manifest stays. */
const maxRelatives = 100;

/** Indexes of indexes, signatures of signatures. */
const maxDepth = 4;

export interface RepositoryJudgeOptions {
  readonly db: ReadQueries;
  readonly repository: RepositoryItem;
  readonly plan: RepositoryPlan;
  readonly takesLocked: boolean;
  /** Nothing is carried out: a manifest whose tags would all go counts as untagged. */
  readonly assumesUntagged: boolean;
  readonly signal: AbortSignal;
}

type Reasons = readonly (string | undefined)[];

/**
 * Says what goes of one repository: what the plan takes, unless it is locked, tagged, or needed by something that stays. A
 * manifest is needed by an index that lists it, and lives with the subject it refers to.
 */
export class RepositoryJudge {
  readonly #options: RepositoryJudgeOptions;
  #tagStart: Promise<Position | undefined> | undefined;
  #manifestStart: Promise<Position | undefined> | undefined;

  constructor(options: RepositoryJudgeOptions) {
    this.#options = options;
  }

  /** What goes is older; undefined when nothing goes. */
  tagStart(): Promise<Position | undefined> {
    const { db, repository, plan } = this.#options;
    this.#tagStart ??= this.#startOf(
      plan.tags,
      async (before) => (await tagsBefore(db, repository.id, before)).map((tag) => ({ ...tag, ...positionOfTag(tag) })),
      (page) => this.#reasonsForTags(page),
    );
    return this.#tagStart;
  }

  manifestStart(): Promise<Position | undefined> {
    const { db, repository, plan } = this.#options;
    this.#manifestStart ??= this.#startOf(
      plan.manifests,
      async (before) => (await manifestsBefore(db, repository.id, before)).map((item) => ({ ...item, ...positionOf(item) })),
      (page) => this.#reasonsForManifests(page, plan.manifests?.before, 0),
    );
    return this.#manifestStart;
  }

  async reasonsForTags(tags: readonly TagItem[]): Promise<Reasons> {
    const start = await this.tagStart();
    const reasons = await this.#reasonsForTags(tags);
    return tags.map((tag, at) => (start !== undefined && isOlder(positionOfTag(tag), start) ? reasons[at] : undefined));
  }

  async reasonsForManifests(manifests: readonly ManifestItem[]): Promise<Reasons> {
    return this.#reasonsForManifests(manifests, await this.manifestStart(), 0);
  }

  /** How many would go if they were not locked. */
  async lockedTags(tags: readonly TagItem[]): Promise<number> {
    const { plan, takesLocked } = this.#options;
    const locked = takesLocked ? [] : tags.filter((tag) => tag.is_locked === 1);
    if (plan.tags === undefined || locked.length === 0) return 0;
    return (await plan.tags.judge(locked)).filter((reason) => reason !== undefined).length;
  }

  async lockedManifests(manifests: readonly ManifestItem[]): Promise<number> {
    const { plan, takesLocked } = this.#options;
    const locked = takesLocked ? [] : manifests.filter((manifest) => manifest.is_locked === 1 && manifest.is_tagged === 0);
    if (plan.manifests === undefined || locked.length === 0) return 0;
    return (await plan.manifests.judge(locked)).filter((reason) => reason !== undefined).length;
  }

  /** Passes over the newest that would go, as many as the plan keeps. */
  async #startOf<Item extends Position>(
    selection: Selection<never> | undefined,
    pageBefore: (before: Position) => Promise<readonly Item[]>,
    judge: (page: readonly Item[]) => Promise<Reasons>,
  ): Promise<Position | undefined> {
    if (selection === undefined || selection.keep === 0) return selection?.before;
    let left = selection.keep;
    for (let before = selection.before; ; ) {
      await breathe(this.#options.signal);
      const page = await pageBefore(before);
      const reasons = await judge(page);
      for (const [at, item] of page.entries()) {
        if (reasons[at] !== undefined) left -= 1;
        if (left === 0) return { at: item.at, name: item.name };
      }
      const last = page.at(-1);
      if (last === undefined) return undefined;
      before = { at: last.at, name: last.name };
    }
  }

  async #reasonsForTags(tags: readonly TagItem[]): Promise<Reasons> {
    const { plan, takesLocked } = this.#options;
    if (plan.tags === undefined || tags.length === 0) return tags.map(() => undefined);
    const reasons = await plan.tags.judge(tags);
    return tags.map((tag, at) => (tag.is_locked === 0 || takesLocked ? reasons[at] : undefined));
  }

  async #reasonsForManifests(manifests: readonly ManifestItem[], start: Position | undefined, depth: number): Promise<Reasons> {
    const { plan, takesLocked } = this.#options;
    if (plan.manifests === undefined || start === undefined || manifests.length === 0) return manifests.map(() => undefined);
    const reasons = await plan.manifests.judge(manifests);
    const found: (string | undefined)[] = [];
    for (const [at, manifest] of manifests.entries()) {
      const reason = reasons[at];
      const isTaken = reason !== undefined && (manifest.is_locked === 0 || takesLocked) && isOlder(positionOf(manifest), start);
      found.push(isTaken && (await this.#isFree(manifest, start, depth)) ? reason : undefined);
    }
    return found;
  }

  /** Nothing that stays needs it. */
  async #isFree(manifest: ManifestItem, start: Position, depth: number): Promise<boolean> {
    if (manifest.is_tagged === 1 && !(await this.#losesItsTags(manifest))) return false;
    if (manifest.is_child === 0 && manifest.has_subject === 0) return true;
    if (depth >= maxDepth) return false;
    const { db, repository, signal } = this.#options;
    await breathe(signal);
    const subject =
      manifest.subject_digest === null ? undefined : await manifestByDigest(db, repository.id, manifest.subject_digest);
    const parents = manifest.is_child === 0 ? [] : await parentsOf(db, repository.id, manifest.digest, maxRelatives + 1);
    if (parents.length > maxRelatives) return false;
    const reasons = await this.#reasonsForManifests(subject === undefined ? parents : [...parents, subject], start, depth + 1);
    return reasons.every((reason) => reason !== undefined);
  }

  async #losesItsTags({ id }: ManifestItem): Promise<boolean> {
    if (!this.#options.assumesUntagged) return false;
    const tags = await tagsOf(this.#options.db, id, maxRelatives + 1);
    return tags.length <= maxRelatives && (await this.reasonsForTags(tags)).every((reason) => reason !== undefined);
  }
}

export function positionOfTag({ updated_at: at, name }: TagItem): Position {
  return { at, name };
}

export function positionOf({ updated_at: at, digest: name }: ManifestItem): Position {
  return { at, name };
}
