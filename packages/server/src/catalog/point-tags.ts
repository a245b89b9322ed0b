import type { Insertable } from 'kysely';
import { RegistryError } from '../errors/index.ts';
import { type TagRow, type WriteQueries, lockRows } from '../platform/database/index.ts';
import { requireWritable } from '../repositories/index.ts';
import { noteMovedTags } from './moved-tags.ts';
import { markUntagged } from './untagged.ts';

export interface TagsToPoint {
  readonly registryId: number;
  readonly repository: string;
  readonly repositoryId: number;
  readonly tags: readonly string[];
  readonly digest: string;
  readonly manifestId: number;
  /** `unless-locked`: a tag that is locked makes the push fail; `never`: any that is there. `always`: it was done elsewhere. */
  readonly moves: 'always' | 'unless-locked' | 'never';
  /** The run that pushes, if one does. */
  readonly runId: string | null;
  /** When it was done (ms). */
  readonly now: number;
}

/**
 * Points tags at a manifest, and returns those that are new. In one order, so that two pushes of the same tags cannot wait
 * for each other. @throws REGISTRY_DISALLOWED_OPERATION when a locked tag would move, CONFLICT
 */
export async function pointTags(tx: WriteQueries, input: TagsToPoint): Promise<ReadonlySet<string>> {
  const { repositoryId, manifestId, tags, now } = input;
  const added = new Set<string>();
  if (tags.length === 0) return added;
  const times = { pushed_at: now, updated_at: now };
  const rows = tags
    .toSorted()
    .map((name) => ({ repository_id: repositoryId, name, manifest_id: manifestId, created_at: now, ...times }));
  const moved = new Set<string>();
  for (let left = rows; left.length > 0; ) {
    const created = await insertAbsent(tx, left);
    for (const name of created) {
      added.add(name);
      moved.add(name);
    }
    const others = left.filter((row) => !created.has(row.name));
    if (others.length === 0) break;
    const names = others.map((row) => row.name);
    const present = await moveTags(tx, input, names);
    for (const { name, manifest_id } of present.values()) if (manifest_id !== manifestId) moved.add(name);
    // On PostgreSQL a tag may have been deleted between the two statements: then it is new after all.
    left = others.filter((row) => !present.has(row.name));
  }
  await noteMovedTags(tx, { ...input, tags: [...moved] });
  return added;
}

async function insertAbsent(tx: WriteQueries, rows: readonly Insertable<TagRow>[]): Promise<ReadonlySet<string>> {
  const added = await tx
    .insertInto('tags')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doNothing())
    .returning('name')
    .execute();
  return new Set(added.map((row) => row.name));
}

/** Points tags that are there at a manifest, and returns what they were, by name. @throws REGISTRY_DISALLOWED_OPERATION, CONFLICT */
async function moveTags(
  tx: WriteQueries,
  { repositoryId, repository, manifestId, moves, now }: TagsToPoint,
  names: readonly string[],
): Promise<ReadonlyMap<string, { readonly name: string; readonly manifest_id: number }>> {
  const present = await lockRows(
    tx
      .selectFrom('tags')
      .select(['name', 'manifest_id', 'write_enabled'])
      .where('repository_id', '=', repositoryId)
      .where('name', 'in', names)
      .orderBy('name'),
  ).execute();
  for (const tag of present) {
    if (tag.manifest_id === manifestId || moves === 'always') continue;
    requireWritable(tag, `the tag ${tag.name} of ${repository}`);
    if (moves === 'never') throw tagTaken(repository, tag.name);
  }
  await tx
    .updateTable('tags')
    .set({ manifest_id: manifestId, pushed_at: now, updated_at: now })
    .where('repository_id', '=', repositoryId)
    .where('name', 'in', names)
    .execute();
  const left = present.map((tag) => tag.manifest_id).filter((id) => id !== manifestId);
  await markUntagged(tx, left, now);
  return new Map(present.map((tag) => [tag.name, tag]));
}

function tagTaken(repository: string, tag: string): RegistryError {
  return new RegistryError('CONFLICT', { message: `the tag ${tag} of ${repository} names another manifest already` });
}
