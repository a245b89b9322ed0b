import { linkSubject } from '../blobs/index.ts';
import type { Insertable } from 'kysely';
import { RegistryError } from '../errors/index.ts';
import {
  type TagRow,
  type TransactionDefinition,
  type WriteQueries,
  defineTransaction,
  lockRows,
} from '../platform/database/index.ts';
import { addCandidate, addCandidates } from '../platform/garbage/candidates.ts';
import { changeManifestBytes } from '../platform/stored-bytes/index.ts';
import { deletesSoftly, ensureRepository, findDeletable, requireDeletable, requireWritable } from '../repositories/index.ts';
import { emptySoftly } from './bin/empty-softly.ts';
import { binTransactions } from './bin/purge.ts';
import { forgetManifest, keepManifest, keepTag } from './bin/put-into-bin.ts';
import { repositoryCollection } from './collect-repository.ts';
import { countIn } from './count-in.ts';
import { requireNoLocks } from './require-no-locks.ts';
import { insertManifest, lockManifest, lockManifestsOfPush, resealManifest } from './insert-manifest.ts';
import type { PushManifest } from './model.ts';
import { noteMovedTags } from './moved-tags.ts';
import { tagsAfter } from './queries.ts';
import { lockTag, markUntagged, renewManifest } from './untagged.ts';
import { attributeTransactions } from './acr/update-attributes.ts';

/**
 * Stores a manifest and points tags at it, in one step. A manifest that is there already stays as it is: only the tags move.
 * @throws MANIFEST_BLOB_UNKNOWN naming what the repository does not have; REGISTRY_DISALLOWED_OPERATION
 */
export const pushManifest = defineTransaction('catalog.push-manifest', async (tx, input: PushManifest): Promise<void> => {
  const repositoryId = await ensureRepository(tx, input.registryId, input.repository, input.now);
  const known = await lockManifestsOfPush(tx, repositoryId, input);
  if (known !== undefined && input.isRepair) await resealManifest(tx, known.id, input);
  if (known !== undefined) await renewManifest(tx, known.id, { isTagged: input.tags.length > 0, now: input.now });
  const { id, isNew } = known === undefined ? await insertManifest(tx, repositoryId, input) : { id: known.id, isNew: false };
  const newTags = await pointTags(tx, repositoryId, id, input);
  if (isNew) await forgetManifest(tx, input, input.digest);
  await countIn(tx, repositoryId, { manifests: isNew ? 1 : 0, tags: newTags, now: input.now });
});

/**
 * Returns how many of the tags are new. In one order, so that two pushes of the same tags cannot wait for each other.
 * @throws REGISTRY_DISALLOWED_OPERATION when a locked tag would move
 */
async function pointTags(tx: WriteQueries, repositoryId: number, manifestId: number, input: PushManifest): Promise<number> {
  const { repository, tags, mayMoveTags, now } = input;
  if (tags.length === 0) return 0;
  const times = { pushed_at: now, updated_at: now };
  const rows = tags
    .toSorted()
    .map((name) => ({ repository_id: repositoryId, name, manifest_id: manifestId, created_at: now, ...times }));
  const moved = new Set<string>();
  let added = 0;
  for (let left = rows; left.length > 0; ) {
    const created = await insertAbsent(tx, left);
    added += created.size;
    for (const name of created) moved.add(name);
    const others = left.filter((row) => !created.has(row.name));
    if (others.length === 0) break;
    const names = others.map((row) => row.name);
    const present = await moveTags(tx, { repositoryId, repository, manifestId, names, mayMoveTags, times });
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

interface MovedTags {
  readonly repositoryId: number;
  readonly repository: string;
  readonly manifestId: number;
  readonly names: readonly string[];
  readonly mayMoveTags: boolean;
  readonly times: { readonly pushed_at: number; readonly updated_at: number };
}

/** Points tags that are there at a manifest, and returns what they were, by name. @throws REGISTRY_DISALLOWED_OPERATION, CONFLICT */
async function moveTags(
  tx: WriteQueries,
  { repositoryId, repository, manifestId, names, mayMoveTags, times }: MovedTags,
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
    if (tag.manifest_id === manifestId) continue;
    requireWritable(tag, `the tag ${tag.name} of ${repository}`);
    if (!mayMoveTags) throw tagTaken(repository, tag.name);
  }
  await tx
    .updateTable('tags')
    .set({ manifest_id: manifestId, ...times })
    .where('repository_id', '=', repositoryId)
    .where('name', 'in', names)
    .execute();
  const left = present.map((tag) => tag.manifest_id).filter((id) => id !== manifestId);
  await markUntagged(tx, left, times.updated_at);
  return new Map(present.map((tag) => [tag.name, tag]));
}

function tagTaken(repository: string, tag: string): RegistryError {
  return new RegistryError('CONFLICT', { message: `the tag ${tag} of ${repository} names another manifest already` });
}

export interface DeleteManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  /** When collection should look at the blobs that may have lost their last use (ms). */
  readonly dueAt: number;
  readonly now: number;
}

export type DeleteOutcome = 'deleted' | 'repository-unknown' | 'manifest-unknown';

/**
 * Deletes a manifest with all its tags (OCI end-9). Costs as much as hangs on it, whatever else the repository holds.
 * @throws REGISTRY_DISALLOWED_OPERATION
 */
export const deleteManifest = defineTransaction(
  'catalog.delete-manifest',
  async (tx, input: DeleteManifest): Promise<DeleteOutcome> => {
    const repositoryId = await findDeletable(tx, input.registryId, input.repository);
    if (repositoryId === undefined) return 'repository-unknown';
    const manifest = await lockManifest(tx, repositoryId, input.digest);
    if (manifest === undefined) return 'manifest-unknown';
    requireDeletable(manifest, `the manifest ${input.digest} of ${input.repository}`);
    if (await deletesSoftly(tx, input.registryId)) await keepManifest(tx, input, manifest.id);
    const tags = await tx
      .deleteFrom('tags')
      .where('manifest_id', '=', manifest.id)
      .returning(['name', 'delete_enabled', 'write_enabled'])
      .execute();
    for (const tag of tags) requireDeletable(tag, `the tag ${tag.name} of ${input.repository}`);
    const used = await tx.selectFrom('manifest_blobs').select('blob_id').where('manifest_id', '=', manifest.id).execute();
    await tx.deleteFrom('manifests').where('id', '=', manifest.id).execute();
    await changeManifestBytes(tx, input.registryId, -manifest.size_bytes);
    const subjects = used.map((row) => linkSubject(repositoryId, row.blob_id));
    await addCandidates(tx, 'repository-blob', subjects, input.dueAt);
    await countIn(tx, repositoryId, { manifests: -1, tags: -tags.length, now: input.now });
    return 'deleted';
  },
);

export interface DeleteTag {
  readonly registryId: number;
  readonly repository: string;
  readonly tag: string;
  readonly now: number;
}

/** Removes a tag; its manifest stays. @throws REGISTRY_DISALLOWED_OPERATION */
export const deleteTag = defineTransaction('catalog.delete-tag', async (tx, input: DeleteTag): Promise<DeleteOutcome> => {
  const repositoryId = await findDeletable(tx, input.registryId, input.repository);
  if (repositoryId === undefined) return 'repository-unknown';
  await lockTag(tx, repositoryId, input.tag);
  const removed = await tx
    .deleteFrom('tags')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', input.tag)
    .returning(['manifest_id', 'delete_enabled', 'write_enabled'])
    .executeTakeFirst();
  if (removed === undefined) return 'manifest-unknown';
  requireDeletable(removed, `the tag ${input.tag} of ${input.repository}`);
  if (await deletesSoftly(tx, input.registryId)) {
    const { digest } = await digestOf(tx, removed.manifest_id);
    await keepTag(tx, input, { name: input.tag, digest });
  }
  await markUntagged(tx, [removed.manifest_id], input.now);
  await countIn(tx, repositoryId, { manifests: 0, tags: -1, now: input.now });
  return 'deleted';
});

function digestOf(tx: WriteQueries, manifestId: number): Promise<{ readonly digest: string }> {
  return tx.selectFrom('manifests').select('digest').where('id', '=', manifestId).executeTakeFirstOrThrow();
}

export interface DeleteRepository {
  readonly registryId: number;
  readonly repository: string;
  /** Manifests and tags to name in the answer, at the most of each. */
  readonly namesLimit: number;
  readonly now: number;
}

export interface DeletedRepository {
  readonly manifests: readonly string[];
  readonly tags: readonly string[];
}

/**
 * The name is free at once and nothing is readable through it; the rows go in batches. Undefined when there was none. Of
 * what goes, the first are named. @throws REGISTRY_DISALLOWED_OPERATION when it is locked, or anything in it
 */
export const deleteRepository = defineTransaction(
  'catalog.delete-repository',
  async (tx, input: DeleteRepository): Promise<DeletedRepository | undefined> => {
    const deleted = await tx
      .updateTable('repositories')
      .set({ deleted_at: input.now })
      .where('registry_id', '=', input.registryId)
      .where('name', '=', input.repository)
      .where('deleted_at', 'is', null)
      .returning(['id', 'delete_enabled', 'write_enabled'])
      .executeTakeFirst();
    if (deleted === undefined) return undefined;
    requireDeletable(deleted, `the repository ${input.repository}`);
    await requireNoLocks(tx, deleted.id, input.repository);
    await addCandidate(tx, 'repository', String(deleted.id), input.now);
    const tags = await tagsAfter(tx, { repositoryId: deleted.id, after: '', limit: input.namesLimit });
    const manifests = await tx
      .selectFrom('manifests')
      .select('digest')
      .where('repository_id', '=', deleted.id)
      .orderBy('digest')
      .limit(input.namesLimit)
      .execute();
    return { tags, manifests: manifests.map((row) => row.digest) };
  },
);

export const catalogTransactions: readonly TransactionDefinition<never, unknown>[] = [
  pushManifest,
  deleteManifest,
  deleteTag,
  deleteRepository,
  repositoryCollection,
  ...attributeTransactions,
  ...binTransactions,
  emptySoftly,
];
