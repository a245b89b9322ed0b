import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';

/** Where a page begins or ends, newest first: time of the last update, then name or digest. */
export interface Position {
  readonly at: number;
  readonly name: string;
}

/** Before everything: newest first begins with the largest. */
export const beforeAll: Position = { at: Number.MAX_SAFE_INTEGER, name: '' };

export function isOlder(item: Position, than: Position): boolean {
  return item.at < than.at || (item.at === than.at && item.name < than.name);
}

export interface TagItem {
  readonly name: string;
  readonly manifest_id: number;
  readonly updated_at: number;
  readonly is_locked: number;
}

export interface ManifestItem {
  readonly id: number;
  readonly digest: string;
  readonly size_bytes: number;
  readonly updated_at: number;
  readonly untagged_at: number | null;
  readonly subject_digest: string | null;
  readonly is_locked: number;
  readonly is_tagged: number;
  /** 1 when an index of the repository lists it. */
  readonly is_child: number;
  /** 1 when what it refers to is in the repository. */
  readonly has_subject: number;
}

export interface RepositoryItem {
  readonly id: number;
  readonly name: string;
  readonly is_locked: number;
}

/** One thing that goes, and why. */
export interface Decision {
  readonly repository: string;
  readonly action: 'untag' | 'delete';
  /** The tag, or the digest of the manifest. */
  readonly name: string;
  readonly reason: string;
  /** Of the manifest with all its blobs, though others may need some of those. */
  readonly sizeBytes: number;
  /** Of the last update that was seen: what was used since then stays. */
  readonly updatedAt: number;
}

/** Why each of the items goes; undefined for one that stays. */
type Judge<Item> = (items: readonly Item[]) => Promise<readonly (string | undefined)[]>;

/** What may go of one kind. */
export interface Selection<Item> {
  /** All that goes is older. */
  readonly before: Position;
  /** The newest of those that would go stay. */
  readonly keep: number;
  readonly judge: Judge<Item>;
}

/** What may go in one repository. Manifests are judged as if they were untagged and nothing needed them: the walk sees to that. */
export interface RepositoryPlan {
  readonly tags: Selection<TagItem> | undefined;
  readonly manifests: Selection<ManifestItem> | undefined;
}

export interface Plan {
  /** Locked items go, too. */
  readonly takesLocked: boolean;
  /** Undefined when the plan is not about this repository. */
  forRepository(repository: RepositoryItem): Promise<RepositoryPlan | undefined>;
}

/**
 * When tags and manifests of a repository were last pulled (ms), by tag or digest. What is not in the map is not known, and
 * stays.
 */
export type LastPulls = (
  repositoryId: number,
  of: { readonly tags: readonly string[] } | { readonly digests: readonly string[] },
) => Promise<ReadonlyMap<string, number>>;

/** What the actions of this feature work with. */
export interface RetentionContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly garbageDelayMs: number;
  readonly lastPulls: LastPulls;
  /** Something went. */
  readonly onRemoved?: (removed: {
    readonly registryId: number;
    readonly repository: string;
    readonly name: string;
    readonly isTag: boolean;
  }) => void;
}
