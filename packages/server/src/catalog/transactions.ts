import { RegistryError } from '../errors/index.ts';
import { findLinkedBlobs } from '../blobs/index.ts';
import { type TransactionDefinition, type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';
import { ensureRepository, findRepositoryId } from '../repositories/index.ts';
import { repositoryCollection } from './collect-repository.ts';
import type { PushManifest } from './model.ts';

const rowsPerStatement = 500;

/**
 * Stores a manifest and points tags at it, in one step, after all that it refers to was found in the repository.
 * @throws MANIFEST_BLOB_UNKNOWN naming what is missing
 */
export const pushManifest = defineTransaction('catalog.push-manifest', async (tx, input: PushManifest): Promise<void> => {
  const repositoryId = await ensureRepository(tx, input.registryId, input.repository, input.now);
  const known = await findManifestId(tx, repositoryId, input.digest);
  const manifestId = known ?? (await insertManifest(tx, repositoryId, input));
  for (const name of input.tags) {
    await tx
      .insertInto('tags')
      .values({ repository_id: repositoryId, name, manifest_id: manifestId, pushed_at: input.now })
      .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doUpdateSet({ manifest_id: manifestId, pushed_at: input.now }))
      .execute();
  }
  await tx.updateTable('repositories').set({ listed_at: input.now }).where('id', '=', repositoryId).where('listed_at', 'is', null).execute();
});

/** Locked until the transaction ends, so that a delete cannot pass a tag that is being set. */
async function findManifestId(tx: WriteQueries, repositoryId: number, digest: string): Promise<number | undefined> {
  const row = await lockRows(tx.selectFrom('manifests').select('id').where('repository_id', '=', repositoryId).where('digest', '=', digest)).executeTakeFirst();
  return row?.id;
}

async function insertManifest(tx: WriteQueries, repositoryId: number, input: PushManifest): Promise<number> {
  const linked = await findLinkedBlobs(tx, input.registryId, repositoryId, input.blobs);
  const missing = input.blobs.find((digest) => !linked.has(digest)) ?? (await missingChild(tx, repositoryId, input.children));
  if (missing !== undefined) {
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', {
      message: `the manifest refers to ${missing}, which is not in the repository ${input.repository}: push it first`,
      detail: { digest: missing },
    });
  }
  const inserted = await tx
    .insertInto('manifests')
    .values({
      repository_id: repositoryId,
      digest: input.digest,
      media_type: input.mediaType,
      artifact_type: input.artifactType,
      subject_digest: input.subjectDigest,
      size_bytes: input.sizeBytes,
      data_key_id: input.dataKeyId,
      sealed_content: input.sealedContent,
      sealed_annotations: input.sealedAnnotations,
      pushed_at: input.now,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('id')
    .executeTakeFirst();
  // On PostgreSQL the same push may have committed between the look and the insert: then that one is ours.
  if (inserted === undefined) return (await findManifestId(tx, repositoryId, input.digest)) ?? insertManifest(tx, repositoryId, input);
  const manifestId = inserted.id;
  await inBatches([...linked.values()], (ids) =>
    tx.insertInto('manifest_blobs').values(ids.map((id) => ({ manifest_id: manifestId, repository_id: repositoryId, blob_id: id }))).execute(),
  );
  await inBatches(input.children, (digests) =>
    tx.insertInto('manifest_children').values(digests.map((digest) => ({ manifest_id: manifestId, repository_id: repositoryId, child_digest: digest }))).execute(),
  );
  return manifestId;
}

async function missingChild(tx: WriteQueries, repositoryId: number, digests: readonly string[]): Promise<string | undefined> {
  for (let start = 0; start < digests.length; start += rowsPerStatement) {
    const batch = digests.slice(start, start + rowsPerStatement);
    const rows = await tx.selectFrom('manifests').select('digest').where('repository_id', '=', repositoryId).where('digest', 'in', batch).execute();
    if (rows.length === batch.length) continue;
    const found = new Set(rows.map((row) => row.digest));
    return batch.find((digest) => !found.has(digest));
  }
  return undefined;
}

async function inBatches<T>(items: readonly T[], insert: (batch: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += rowsPerStatement) await insert(items.slice(start, start + rowsPerStatement));
}

export interface DeleteByReference {
  readonly registryId: number;
  readonly repository: string;
  readonly reference: { readonly digest: string } | { readonly tag: string };
  readonly now: number;
  /** When collection should look at the blobs that may have lost their last use (ms). */
  readonly dueAt: number;
}

export type DeleteOutcome = 'deleted' | 'repository-unknown' | 'manifest-unknown';

/** By digest: the manifest with its tags. By tag: the tag alone (OCI end-9). */
export const deleteManifest = defineTransaction('catalog.delete-manifest', async (tx, input: DeleteByReference): Promise<DeleteOutcome> => {
  const repositoryId = await findRepositoryId(tx, input.registryId, input.repository);
  if (repositoryId === undefined) return 'repository-unknown';
  if ('tag' in input.reference) {
    const removed = await tx.deleteFrom('tags').where('repository_id', '=', repositoryId).where('name', '=', input.reference.tag).returning('name').execute();
    return removed.length > 0 ? 'deleted' : 'manifest-unknown';
  }
  const manifestId = await findManifestId(tx, repositoryId, input.reference.digest);
  if (manifestId === undefined) return 'manifest-unknown';
  const blobs = await tx.selectFrom('manifest_blobs').select('blob_id').where('manifest_id', '=', manifestId).execute();
  await tx.deleteFrom('manifests').where('id', '=', manifestId).execute();
  for (const { blob_id } of blobs) await addCandidate(tx, 'repository-blob', `${repositoryId}:${blob_id}`, input.dueAt);
  return 'deleted';
});

export interface DeleteRepository {
  readonly registryId: number;
  readonly repository: string;
  readonly now: number;
}

/** The name is free at once and nothing is readable through it; the rows go in batches. False when there was none. */
export const deleteRepository = defineTransaction('catalog.delete-repository', async (tx, input: DeleteRepository): Promise<boolean> => {
  const repositoryId = await findRepositoryId(tx, input.registryId, input.repository);
  if (repositoryId === undefined) return false;
  await tx.updateTable('repositories').set({ deleted_at: input.now }).where('id', '=', repositoryId).execute();
  await addCandidate(tx, 'repository', String(repositoryId), input.now);
  return true;
});

export const catalogTransactions: readonly TransactionDefinition<never, unknown>[] = [pushManifest, deleteManifest, deleteRepository, repositoryCollection];
