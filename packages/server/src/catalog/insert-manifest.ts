import { findLinkedBlobs } from '../blobs/index.ts';
import { RegistryError } from '../errors/index.ts';
import { type WriteQueries, lockRows } from '../platform/database/index.ts';
import { changeManifestBytes, requireRoom } from '../platform/stored-bytes/index.ts';
import type { PushManifest } from './model.ts';

const rowsPerStatement = 500;

export interface LockedManifest {
  readonly id: number;
  readonly size_bytes: number;
  readonly delete_enabled: number;
  readonly write_enabled: number;
}

/** Locked until the transaction ends, so that a delete cannot pass a tag that is being set. */
export function lockManifest(tx: WriteQueries, repositoryId: number, digest: string): Promise<LockedManifest | undefined> {
  return lockRows(
    tx
      .selectFrom('manifests')
      .select(['id', 'size_bytes', 'delete_enabled', 'write_enabled'])
      .where('repository_id', '=', repositoryId)
      .where('digest', '=', digest),
  ).executeTakeFirst();
}

/**
 * The same for a push, together with the manifests that its tags leave. All in one order, so that two pushes that swap tags
 * cannot wait for each other (PostgreSQL).
 */
export async function lockManifestsOfPush(
  tx: WriteQueries,
  repositoryId: number,
  { digest, tags }: PushManifest,
): Promise<LockedManifest | undefined> {
  if (tags.length === 0) return lockManifest(tx, repositoryId, digest);
  const locked = await lockRows(
    tx
      .selectFrom('manifests')
      .select(['id', 'digest', 'size_bytes', 'delete_enabled', 'write_enabled'])
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('manifests as pushed')
          .select('pushed.id')
          .where('pushed.repository_id', '=', repositoryId)
          .where('pushed.digest', '=', digest)
          .unionAll(
            eb
              .selectFrom('tags')
              .select('tags.manifest_id as id')
              .where('tags.repository_id', '=', repositoryId)
              .where('tags.name', 'in', tags),
          ),
      )
      .orderBy('id'),
  ).execute();
  return locked.find((row) => row.digest === digest);
}

export interface InsertedManifest {
  readonly id: number;
  /** False when it was there already. */
  readonly isNew: boolean;
}

/**
 * Writes a manifest with its references, after all that it needs was found in the repository.
 * @throws MANIFEST_BLOB_UNKNOWN naming the first that is missing; REGISTRY_DISALLOWED_OPERATION when the registry has no room for it
 */
export async function insertManifest(tx: WriteQueries, repositoryId: number, input: PushManifest): Promise<InsertedManifest> {
  const linked = await findLinkedBlobs(tx, input.registryId, repositoryId, [...input.blobs, ...input.optionalBlobs]);
  const missing = input.blobs.find((digest) => !linked.has(digest)) ?? (await missingChild(tx, repositoryId, input.children));
  if (missing !== undefined) {
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', {
      message: `the manifest refers to ${missing}, which is not in the repository ${input.repository}: push it first`,
      detail: { digest: missing },
    });
  }
  const { registryId, sizeBytes, limitBytes } = input;
  if (limitBytes !== undefined) await requireRoom(tx, { registryId, sizeBytes, limitBytes });
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
      updated_at: input.now,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('id')
    .executeTakeFirst();
  // On PostgreSQL the same push may have committed between the look and the insert: then that one is ours.
  if (inserted === undefined) {
    const present = await lockManifest(tx, repositoryId, input.digest);
    return present === undefined ? insertManifest(tx, repositoryId, input) : { id: present.id, isNew: false };
  }
  await changeManifestBytes(tx, registryId, sizeBytes);
  await insertReferences(tx, { repository_id: repositoryId, manifest_id: inserted.id }, [...linked.values()], input.children);
  return { id: inserted.id, isNew: true };
}

/** Seals the same content anew, where what is stored does not open. */
export async function resealManifest(tx: WriteQueries, manifestId: number, input: PushManifest): Promise<void> {
  await tx
    .updateTable('manifests')
    .set({ data_key_id: input.dataKeyId, sealed_content: input.sealedContent, sealed_annotations: input.sealedAnnotations })
    .where('id', '=', manifestId)
    .execute();
}

async function insertReferences(
  tx: WriteQueries,
  owner: { readonly repository_id: number; readonly manifest_id: number },
  blobIds: readonly number[],
  children: readonly string[],
): Promise<void> {
  for (const ids of batchesOf(blobIds)) {
    const rows = ids.map((id) => ({ ...owner, blob_id: id }));
    await tx.insertInto('manifest_blobs').values(rows).execute();
  }
  for (const digests of batchesOf(children)) {
    const rows = digests.map((digest) => ({ ...owner, child_digest: digest }));
    await tx.insertInto('manifest_children').values(rows).execute();
  }
}

/**
 * Those that are there are held as a foreign key would hold them (PostgreSQL): a deletion that looks whether an index needs
 * them waits until this one can be seen. Pushes of the same image do not wait for each other.
 */
async function missingChild(tx: WriteQueries, repositoryId: number, digests: readonly string[]): Promise<string | undefined> {
  for (const batch of batchesOf(digests)) {
    const rows = await tx
      .selectFrom('manifests')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', batch)
      .forKeyShare()
      .execute();
    if (rows.length === batch.length) continue;
    const found = new Set(rows.map((row) => row.digest));
    return batch.find((digest) => !found.has(digest));
  }
  return undefined;
}

function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += rowsPerStatement) yield items.slice(start, start + rowsPerStatement);
}
