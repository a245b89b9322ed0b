import { linkSubject } from '../blobs/index.ts';
import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../platform/database/index.ts';
import { addCandidate, addCandidates } from '../platform/garbage/candidates.ts';
import { ensureRepository, findRepositoryId } from '../repositories/index.ts';
import { repositoryCollection } from './collect-repository.ts';
import { insertManifest, lockManifest, resealManifest } from './insert-manifest.ts';
import type { PushManifest } from './model.ts';
import { tagsAfter } from './queries.ts';

/**
 * Stores a manifest and points tags at it, in one step. A manifest that is there already stays as it is: only the tags move.
 * @throws MANIFEST_BLOB_UNKNOWN naming what the repository does not have
 */
export const pushManifest = defineTransaction('catalog.push-manifest', async (tx, input: PushManifest): Promise<void> => {
  const repositoryId = await ensureRepository(tx, input.registryId, input.repository, input.now);
  const known = await lockManifest(tx, repositoryId, input.digest);
  if (known !== undefined && input.isRepair) await resealManifest(tx, known, input);
  const manifestId = known ?? (await insertManifest(tx, repositoryId, input));
  await pointTags(tx, repositoryId, manifestId, input);
  await tx
    .updateTable('repositories')
    .set({ listed_at: input.now })
    .where('id', '=', repositoryId)
    .where('listed_at', 'is', null)
    .execute();
});

/** In one order, so that two pushes of the same tags cannot wait for each other. */
async function pointTags(tx: WriteQueries, repositoryId: number, manifestId: number, { tags, now }: PushManifest): Promise<void> {
  if (tags.length === 0) return;
  const rows = tags.toSorted().map((name) => ({ repository_id: repositoryId, name, manifest_id: manifestId, pushed_at: now }));
  await tx
    .insertInto('tags')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'name']).doUpdateSet({ manifest_id: manifestId, pushed_at: now }),
    )
    .execute();
}

export interface DeleteManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  /** When collection should look at the blobs that may have lost their last use (ms). */
  readonly dueAt: number;
}

export type DeleteOutcome = 'deleted' | 'repository-unknown' | 'manifest-unknown';

/** Deletes a manifest with all its tags (OCI end-9). Costs as much as hangs on it, whatever else the repository holds. */
export const deleteManifest = defineTransaction(
  'catalog.delete-manifest',
  async (tx, input: DeleteManifest): Promise<DeleteOutcome> => {
    const repositoryId = await findRepositoryId(tx, input.registryId, input.repository);
    if (repositoryId === undefined) return 'repository-unknown';
    const manifestId = await lockManifest(tx, repositoryId, input.digest);
    if (manifestId === undefined) return 'manifest-unknown';
    const used = await tx.selectFrom('manifest_blobs').select('blob_id').where('manifest_id', '=', manifestId).execute();
    await tx.deleteFrom('manifests').where('id', '=', manifestId).execute();
    const subjects = used.map((row) => linkSubject(repositoryId, row.blob_id));
    await addCandidates(tx, 'repository-blob', subjects, input.dueAt);
    return 'deleted';
  },
);

export interface DeleteTag {
  readonly registryId: number;
  readonly repository: string;
  readonly tag: string;
}

/** Removes a tag; its manifest stays. */
export const deleteTag = defineTransaction('catalog.delete-tag', async (tx, input: DeleteTag): Promise<DeleteOutcome> => {
  const repositoryId = await findRepositoryId(tx, input.registryId, input.repository);
  if (repositoryId === undefined) return 'repository-unknown';
  const removed = await tx
    .deleteFrom('tags')
    .where('repository_id', '=', repositoryId)
    .where('name', '=', input.tag)
    .returning('name')
    .execute();
  return removed.length > 0 ? 'deleted' : 'manifest-unknown';
});

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
 * what goes, the first are named.
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
      .returning('id')
      .executeTakeFirst();
    if (deleted === undefined) return undefined;
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
];
