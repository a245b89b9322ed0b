import type { Filter } from './patterns.ts';
import type { ManifestItem, Plan, Selection, TagItem } from './model.ts';

/** What `acr purge` is asked for (acr-api 6.8), parsed. */
export interface PurgeCriteria {
  readonly filters: readonly Filter[];
  readonly agoMs: number;
  /** As it was written, for reasons. */
  readonly ago: string | undefined;
  readonly keep: number;
  readonly isUntagged: boolean;
  readonly isUntaggedOnly: boolean;
  readonly takesLocked: boolean;
}

/** Tags and, if wanted, manifests without any, by age of their last update. Ages count up to `asOf` (ms). */
export function planPurge(criteria: PurgeCriteria, asOf: number): Plan {
  const { filters, agoMs, ago, keep, isUntagged, isUntaggedOnly, takesLocked } = criteria;
  const before = { at: asOf - agoMs, name: '' };
  const age = ago === undefined ? '' : `, last updated more than ${ago} ago`;
  const kept = keep === 0 ? '' : `, not among the newest ${keep} of these`;
  const untagged: Selection<ManifestItem> = {
    before,
    keep: isUntaggedOnly ? keep : 0,
    judge: async (manifests) => manifests.map(() => `without a tag${age}${isUntaggedOnly ? kept : ''}`),
  };
  return {
    takesLocked,
    forRepository: async ({ name }) => {
      const matching = filters.filter((filter) => filter.matchesRepository(name));
      if (matching.length === 0 && !(isUntaggedOnly && filters.length === 0)) return undefined;
      const tags: Selection<TagItem> = {
        before,
        keep,
        judge: async (items) =>
          items.map((tag) =>
            matching.some((filter) => filter.matchesTag(tag.name)) ? `matches a filter${age}${kept}` : undefined,
          ),
      };
      return { tags: isUntaggedOnly ? undefined : tags, manifests: isUntagged || isUntaggedOnly ? untagged : undefined };
    },
  };
}
