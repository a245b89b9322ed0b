import type { ReadQueries } from '../platform/database/index.ts';
import { type RuleHere, reasonToDelete, reasonToUntag } from './judge.ts';
import {
  type LastPulls,
  type ManifestItem,
  type Plan,
  type Position,
  type RepositoryItem,
  type Selection,
  type TagItem,
  beforeAll,
} from './model.ts';
import { tagsBefore } from './queries.ts';
import type { Rule } from './rules.ts';
import { breathe } from './breathe.ts';

export interface CleanupPlanOptions {
  readonly db: ReadQueries;
  readonly rules: readonly Rule[];
  readonly lastPulls: LastPulls;
  /** Ages count up to this time (ms). */
  readonly asOf: number;
  readonly signal: AbortSignal;
}

/** What a set of rules takes: an item goes only if some rule takes it and none keeps it. Locked items stay. */
export function planCleanup(options: CleanupPlanOptions): Plan {
  return {
    takesLocked: false,
    forRepository: async (repository) => {
      const rules = options.rules.filter((rule) => rule.matchesRepository(repository.name));
      if (rules.length === 0) return undefined;
      return {
        tags: await selectTags({ ...options, rules }, repository),
        manifests: selectManifests({ ...options, rules }, repository),
      };
    },
  };
}

async function selectTags(options: CleanupPlanOptions, { id }: RepositoryItem): Promise<Selection<TagItem> | undefined> {
  const { asOf, lastPulls, signal } = options;
  const rules = options.rules.filter((rule) => rule.judgesTags);
  if (rules.length === 0) return undefined;
  const here: RuleHere[] = [];
  for (const rule of rules) here.push({ rule, oldestKept: await oldestKept(options.db, id, rule, signal) });
  const asksPulls = rules.some((rule) => rule.keepPulledWithinMs !== undefined);
  // What a rule takes is older than what it keeps: the youngest that any rule takes is where to begin.
  const newest = Math.max(
    ...rules.map(({ keepNewerThanMs }) => (keepNewerThanMs === undefined ? beforeAll.at : asOf - keepNewerThanMs + 1)),
  );
  return {
    before: { at: newest, name: '' },
    keep: 0,
    judge: async (tags) => {
      const pulls = asksPulls ? await lastPulls(id, { tags: tags.map((tag) => tag.name) }) : new Map<string, number>();
      return tags.map(({ name, updated_at }) => reasonToUntag(here, { name, at: updated_at, pulledAt: pulls.get(name) }, asOf));
    },
  };
}

/** Where the newest tags end that a rule keeps by their number. */
async function oldestKept(
  db: ReadQueries,
  repositoryId: number,
  { keepLast, matchesTag }: Rule,
  signal: AbortSignal,
): Promise<Position | 'all' | undefined> {
  if (keepLast === undefined || keepLast === 0) return undefined;
  let left = keepLast;
  for (let before = beforeAll; ; ) {
    await breathe(signal);
    const page = await tagsBefore(db, repositoryId, before);
    for (const { name, updated_at: at } of page) {
      if (!matchesTag(name)) continue;
      left -= 1;
      if (left === 0) return { at, name };
    }
    const last = page.at(-1);
    if (last === undefined) return 'all';
    before = { at: last.updated_at, name: last.name };
  }
}

function selectManifests(options: CleanupPlanOptions, { id }: RepositoryItem): Selection<ManifestItem> | undefined {
  const { asOf, lastPulls } = options;
  const rules = options.rules.filter((rule) => rule.untaggedOlderThanMs !== undefined);
  if (rules.length === 0) return undefined;
  const asksPulls = rules.some((rule) => rule.keepPulledWithinMs !== undefined);
  // The longest time counts, since the rule that gives it keeps what is younger.
  const newest = Math.min(...rules.map(({ untaggedOlderThanMs = 0 }) => asOf - untaggedOlderThanMs + 1));
  return {
    before: { at: newest, name: '' },
    keep: 0,
    judge: async (manifests) => {
      const digests = manifests.map((manifest) => manifest.digest);
      const pulls = asksPulls ? await lastPulls(id, { digests }) : new Map<string, number>();
      return manifests.map(({ digest, updated_at: updatedAt, untagged_at: untaggedAt }) =>
        reasonToDelete(rules, { updatedAt, untaggedAt, pulledAt: pulls.get(digest) }, asOf),
      );
    },
  };
}
