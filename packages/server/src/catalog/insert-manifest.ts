import { findLinkedBlobs } from '../blobs/index.ts';
import { RegistryError } from '../errors/index.ts';
import { type WriteQueries, lockRows } from '../platform/database/index.ts';
import { changeManifestBytes, requireRoom } from '../platform/stored-bytes/index.ts';
import type { PushManifest } from './model.ts';

const rowsPerStatement = 500;

export interface LockedManifest {
  readonly id: number;
  readonly digest: string;
  readonly media_type: string;
  readonly artifact_type: string | null;
  readonly size_bytes: number;
  readonly delete_enabled: number;
  readonly write_enabled: number;
}

/** Locked until the transaction ends, so that a delete cannot pass a tag that is being set. */
export function lockManifest(tx: WriteQueries, repositoryId: number, digest: string): Promise<LockedManifest | undefined> {
  return lockRows(
    tx
      .selectFrom('manifests')
      .select(['id', 'digest', 'media_type', 'artifact_type', 'size_bytes', 'delete_enabled', 'write_enabled'])
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
  { digest, tags }: Pick<PushManifest, 'digest' | 'tags'>,
): Promise<LockedManifest | undefined> {
  if (tags.length === 0) return lockManifest(tx, repositoryId, digest);
  const locked = await lockRows(
    tx
      .selectFrom('manifests')
      .select(['id', 'digest', 'media_type', 'artifact_type', 'size_bytes', 'delete_enabled', 'write_enabled'])
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

/** What a manifest needs of its repository. */
export interface Needs {
  readonly registryId: number;
  readonly blobs: readonly string[];
  readonly optionalBlobs: readonly string[];
  readonly children: readonly string[];
}

export interface FoundNeeds {
  /** By digest, the optional ones too; held until the transaction ends. */
  readonly linked: ReadonlyMap<string, number>;
  readonly missingBlobs: readonly string[];
  readonly missingChildren: readonly string[];
}

/** Looks for all that a manifest needs, and holds it. */
export async function findNeeds(tx: WriteQueries, repositoryId: number, needs: Needs): Promise<FoundNeeds> {
  const linked = await findLinkedBlobs(tx, needs.registryId, repositoryId, [...needs.blobs, ...needs.optionalBlobs]);
  return {
    linked,
    missingBlobs: needs.blobs.filter((digest) => !linked.has(digest)),
    missingChildren: await missingChildren(tx, repositoryId, needs.children),
  };
}

/**
 * Writes a manifest with its references, after all that it needs was found in the repository.
 * @throws MANIFEST_BLOB_UNKNOWN naming the first that is missing; REGISTRY_DISALLOWED_OPERATION when the registry has no room for it
 */
export async function insertManifest(tx: WriteQueries, repositoryId: number, input: PushManifest): Promise<InsertedManifest> {
  const { linked, missingBlobs, missingChildren: children } = await findNeeds(tx, repositoryId, input);
  const missing = missingBlobs[0] ?? children[0];
  if (missing !== undefined) {
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', {
      message: `the manifest refers to ${missing}, which is not in the repository ${input.repository}: push it first`,
      detail: { digest: missing },
    });
  }
  const { registryId, sizeBytes, limitBytes } = input;
  if (limitBytes !== undefined) await requireRoom(tx, { registryId, sizeBytes, limitBytes });
  const inserted = await insertFound(tx, repositoryId, { ...input, pushedAt: input.now }, [...linked.values()]);
  if (inserted !== undefined) return { id: inserted, isNew: true };
  // On PostgreSQL the same push may have committed between the look and the insert: then that one is ours.
  const present = await lockManifest(tx, repositoryId, input.digest);
  return present === undefined ? insertManifest(tx, repositoryId, input) : { id: present.id, isNew: false };
}

/** A manifest as it is kept. */
export type SealedManifest = Pick<
  PushManifest,
  | 'registryId'
  | 'digest'
  | 'mediaType'
  | 'artifactType'
  | 'subjectDigest'
  | 'sizeBytes'
  | 'dataKeyId'
  | 'sealedContent'
  | 'sealedAnnotations'
  | 'children'
>;

/** Its id; undefined when it is there already. The caller has looked for what it needs. */
export async function insertFound(
  tx: WriteQueries,
  repositoryId: number,
  input: SealedManifest & { readonly pushedAt: number },
  blobIds: readonly number[],
): Promise<number | undefined> {
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
      pushed_at: input.pushedAt,
      updated_at: input.pushedAt,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) return undefined;
  await changeManifestBytes(tx, input.registryId, input.sizeBytes);
  await insertReferences(tx, { repository_id: repositoryId, manifest_id: inserted.id }, blobIds, input.children);
  return inserted.id;
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
async function missingChildren(tx: WriteQueries, repositoryId: number, digests: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = [];
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
    missing.push(...batch.filter((digest) => !found.has(digest)));
  }
  return missing;
}

function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += rowsPerStatement) yield items.slice(start, start + rowsPerStatement);
}
