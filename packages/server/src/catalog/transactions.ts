import type { FactRequest } from '@berth/api';
import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';
import { deletesSoftly, ensureRepository, findDeletable, requireDeletable } from '../repositories/index.ts';
import { attributeTransactions } from './acr/update-attributes.ts';
import { emptySoftly } from './bin/empty-softly.ts';
import { binTransactions } from './bin/purge.ts';
import { forgetManifest } from './bin/put-into-bin.ts';
import { repositoryCollection } from './collect-repository.ts';
import { countIn } from './count-in.ts';
import { insertManifest, lockManifest, lockManifestsOfPush, resealManifest } from './insert-manifest.ts';
import type { PushManifest } from './model.ts';
import { pointTags } from './point-tags.ts';
import { tagsAfter } from './queries.ts';
import { deletionOf, logPush } from './log-content.ts';
import { logChanges } from './log-changes.ts';
import { requireNoLocks } from './require-no-locks.ts';
import { takeLiveManifest, takeLiveTag } from './take-live.ts';
import { renewManifest } from './untagged.ts';

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
  const moves = input.mayMoveTags ? 'unless-locked' : 'never';
  const newTags = await pointTags(tx, { ...input, repositoryId, manifestId: id, moves });
  if (isNew) await forgetManifest(tx, input, input.digest);
  const counted = await countIn(tx, repositoryId, { manifests: isNew ? 1 : 0, tags: newTags.size, now: input.now });
  if (!counted.isGone) await logPush(tx, input, { repositoryId, isNew, newTags, isFirst: isNew && counted.manifests === 1 });
});

export interface DeleteManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  /** When collection should look at the blobs that may have lost their last use (ms). */
  readonly dueAt: number;
  readonly request?: FactRequest | undefined;
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
    const isSoft = await deletesSoftly(tx, input.registryId);
    const tags = await takeLiveManifest(tx, { ...input, repositoryId, isSoft }, manifest);
    for (const tag of tags) requireDeletable(tag, `the tag ${tag.name} of ${input.repository}`);
    const { isGone } = await countIn(tx, repositoryId, { manifests: -1, tags: -tags.length, now: input.now });
    if (!isGone) await logChanges(tx, { ...input, changes: deletionOf(input.repository, { ...manifest, tags }) });
    return 'deleted';
  },
);

export interface DeleteTag {
  readonly registryId: number;
  readonly repository: string;
  readonly tag: string;
  readonly request?: FactRequest | undefined;
  readonly now: number;
}

/** Removes a tag; its manifest stays. @throws REGISTRY_DISALLOWED_OPERATION */
export const deleteTag = defineTransaction('catalog.delete-tag', async (tx, input: DeleteTag): Promise<DeleteOutcome> => {
  const repositoryId = await findDeletable(tx, input.registryId, input.repository);
  if (repositoryId === undefined) return 'repository-unknown';
  const isSoft = await deletesSoftly(tx, input.registryId);
  const removed = await takeLiveTag(tx, { ...input, repositoryId, isSoft }, input.tag);
  if (removed === undefined) return 'manifest-unknown';
  requireDeletable(removed, `the tag ${input.tag} of ${input.repository}`);
  const { isGone } = await countIn(tx, repositoryId, { manifests: 0, tags: -1, now: input.now });
  const { repository, tag } = input;
  if (!isGone) await logChanges(tx, { ...input, changes: [{ action: 'untag', repository, tag }] });
  return 'deleted';
});

export interface DeleteRepository {
  readonly registryId: number;
  readonly repository: string;
  /** Manifests and tags to name in the answer, at the most of each. */
  readonly namesLimit: number;
  readonly request?: FactRequest | undefined;
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
    await logChanges(tx, { ...input, changes: [{ action: 'delete-repository', repository: input.repository }] });
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
