import type { ReadQueries } from '../platform/database/index.ts';
import { breathe } from './breathe.ts';
import type { Decision, ManifestItem, Plan, Position, RepositoryItem, TagItem } from './model.ts';
import { imageSizes, manifestsBefore, repositoriesFrom, tagsBefore } from './queries.ts';
import { RepositoryJudge, positionOf, positionOfTag } from './repository-judge.ts';

/** How far a walk is. */
export interface Place {
  readonly repository: string;
  /** What comes next: items of the repository after the position, or the next repository. */
  readonly phase: 'tags' | 'manifests' | 'done';
  /** Undefined: the phase has not begun. */
  readonly after: Position | undefined;
}

/** One page: what it said, and where the walk goes on after it. */
export interface Step {
  readonly decisions: readonly Decision[];
  /** Rows that were looked at. */
  readonly examined: number;
  /** Items that stay because they, or their repository, are locked. */
  readonly locked: number;
  readonly next: Place;
}

export interface WalkOptions {
  readonly db: ReadQueries;
  readonly registryId: number;
  readonly plan: Plan;
  readonly from: Place | undefined;
  readonly assumesUntagged: boolean;
  readonly signal: AbortSignal;
}

const repositoriesPerPage = 100;

/**
 * Goes through a registry by the plan: repositories by name, in each first the tags, then the manifests, newest first,
 * page by page along indexes. Nothing is kept of a page once it was handed out, however large the registry is.
 */
export async function* walk(options: WalkOptions): AsyncGenerator<Step, void, undefined> {
  const { db, registryId, plan, signal } = options;
  let place: Place = options.from ?? { repository: '', phase: 'tags', after: undefined };
  for (;;) {
    await breathe(signal);
    const position = { registryId, from: place.repository, isAfter: place.phase === 'done', limit: repositoriesPerPage };
    const repositories = await repositoriesFrom(db, position);
    for (const repository of repositories) {
      const resumed = place.repository === repository.name ? place : undefined;
      const here = await plan.forRepository(repository);
      if (here !== undefined && repository.is_locked === 0) {
        const judge = new RepositoryJudge({ ...options, repository, plan: here, takesLocked: plan.takesLocked });
        const visit = { ...options, repository, judge };
        if (here.tags !== undefined && resumed?.phase !== 'manifests') yield* visitTags(visit, resumed?.after);
        if (here.manifests !== undefined)
          yield* visitManifests(visit, resumed?.phase === 'manifests' ? resumed.after : undefined);
      }
      place = { repository: repository.name, phase: 'done', after: undefined };
    }
    if (repositories.length < repositoriesPerPage) return;
    yield { decisions: [], examined: repositories.length, locked: 0, next: place };
  }
}

interface Visit extends WalkOptions {
  readonly repository: RepositoryItem;
  readonly judge: RepositoryJudge;
}

async function* visitTags(visit: Visit, after: Position | undefined): AsyncGenerator<Step, void, undefined> {
  const { db, repository, judge } = visit;
  const pages = pagesOf<TagItem>(after ?? (await judge.tagStart()), {
    read: (before) => tagsBefore(db, repository.id, before),
    positionOf: positionOfTag,
    signal: visit.signal,
  });
  for await (const { page, last } of pages) {
    const taken = reasoned(page, await judge.reasonsForTags(page));
    const sizes = await imageSizes(db, [...new Set(taken.map(([tag]) => tag.manifest_id))]);
    yield {
      decisions: taken.map(([tag, reason]) => ({
        repository: repository.name,
        action: 'untag',
        name: tag.name,
        reason,
        sizeBytes: sizes.get(tag.manifest_id) ?? 0,
        updatedAt: tag.updated_at,
      })),
      examined: page.length,
      locked: await judge.lockedTags(page),
      next: { repository: repository.name, phase: 'tags', after: last },
    };
  }
}

async function* visitManifests(visit: Visit, after: Position | undefined): AsyncGenerator<Step, void, undefined> {
  const { db, repository, judge } = visit;
  const pages = pagesOf<ManifestItem>(after ?? (await judge.manifestStart()), {
    read: (before) => manifestsBefore(db, repository.id, before),
    positionOf,
    signal: visit.signal,
  });
  for await (const { page, last } of pages) {
    const taken = reasoned(page, await judge.reasonsForManifests(page));
    const sizes = await imageSizes(
      db,
      taken.map(([manifest]) => manifest.id),
    );
    yield {
      decisions: taken.map(([manifest, reason]) => ({
        repository: repository.name,
        action: 'delete',
        name: manifest.digest,
        reason,
        sizeBytes: sizes.get(manifest.id) ?? 0,
        updatedAt: manifest.updated_at,
      })),
      examined: page.length,
      locked: await judge.lockedManifests(page),
      next: { repository: repository.name, phase: 'manifests', after: last },
    };
  }
}

interface Pages<Item> {
  readonly read: (before: Position) => Promise<readonly Item[]>;
  readonly positionOf: (item: Item) => Position;
  readonly signal: AbortSignal;
}

async function* pagesOf<Item>(
  start: Position | undefined,
  { read, positionOf: position, signal }: Pages<Item>,
): AsyncGenerator<{ readonly page: readonly Item[]; readonly last: Position }, void, undefined> {
  for (let before = start; before !== undefined; ) {
    await breathe(signal);
    const page = await read(before);
    const last = page.at(-1);
    if (last === undefined) return;
    before = position(last);
    yield { page, last: before };
  }
}

function reasoned<Item>(items: readonly Item[], reasons: readonly (string | undefined)[]): readonly (readonly [Item, string])[] {
  return items.flatMap((item, at) => {
    const reason = reasons[at];
    return reason === undefined ? [] : [[item, reason] as const];
  });
}
