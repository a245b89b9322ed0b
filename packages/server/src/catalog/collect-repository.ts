import { endUpload } from '../blobs/index.ts';
import { type WriteQueries, lockRows } from '../platform/database/index.ts';
import { addCandidates } from '../platform/garbage/candidates.ts';
import { defineCollection } from '../platform/garbage/handler.ts';
import { changeManifestBytes } from '../platform/stored-bytes/index.ts';
import { deletesSoftly, findRepositoryId } from '../repositories/index.ts';
import { lockManifest } from './insert-manifest.ts';
import { takeLiveManifest } from './take-live.ts';

/** Rows that one transaction deletes. */
const batch = 500;

/** Sealed manifests that one transaction deletes, in bytes: their pages have to be freed one by one. */
const batchBytes = 16 * 1024 * 1024;

/** A deleted repository: its tags, manifests, uploads and links go batch by batch, then its row. */
export const repositoryCollection = defineCollection('repository', async (tx, { subject, now }) => {
  const id = Number(subject);
  // Waits for pushes that found the repository alive; after that nothing comes in any more.
  const repository = await lockRows(
    tx.selectFrom('repositories').select(['registry_id', 'name', 'deleted_at']).where('id', '=', id),
  ).executeTakeFirst();
  if (repository === undefined || repository.deleted_at === null) return 'done';
  const gone: Gone = { repositoryId: id, registryId: repository.registry_id, repository: repository.name, now };
  // Where clients delete a repository softly it is emptied and stays; this one was deleted by word of another region.
  if ((await isKept(tx, gone.registryId)) && (await keepManifests(tx, gone))) return 'again';
  for (const deleteSome of [deleteTags, deleteReferences, deleteManifests, deleteUpload, deleteLinks]) {
    if (await deleteSome(tx, gone)) return 'again';
  }
  await tx.deleteFrom('repositories').where('id', '=', id).execute();
  return 'done';
});

interface Gone {
  readonly repositoryId: number;
  readonly registryId: number;
  /** Its name. */
  readonly repository: string;
  readonly now: number;
}

/** Of a registry that is deleted itself nothing can be restored. */
async function isKept(tx: WriteQueries, registryId: number): Promise<boolean> {
  if (!(await deletesSoftly(tx, registryId))) return false;
  const registry = await tx.selectFrom('registries').select('deleted_at').where('id', '=', registryId).executeTakeFirst();
  return registry !== undefined && registry.deleted_at === null;
}

/** Manifests that one transaction puts into the bin. */
const keptBatch = 100;

/** Puts manifests into the bin with their tags; not those that are there again, in a repository of the same name. */
async function keepManifests(tx: WriteQueries, gone: Gone): Promise<boolean> {
  const { repositoryId, registryId, repository } = gone;
  const manifests = await tx
    .selectFrom('manifests')
    .select(['id', 'digest', 'size_bytes'])
    .where('repository_id', '=', repositoryId)
    .orderBy('id')
    .limit(keptBatch)
    .execute();
  const present = (await findRepositoryId(tx, registryId, repository)) ?? 0;
  for (const manifest of manifests) {
    const isSoft = (await lockManifest(tx, present, manifest.digest)) === undefined;
    await takeLiveManifest(tx, { ...gone, isSoft, dueAt: gone.now }, manifest);
  }
  return manifests.length > 0;
}

async function deleteTags(tx: WriteQueries, { repositoryId }: Gone): Promise<boolean> {
  const tags = await tx.selectFrom('tags').select('name').where('repository_id', '=', repositoryId).limit(batch).execute();
  const names = tags.map((tag) => tag.name);
  if (names.length > 0)
    await tx.deleteFrom('tags').where('repository_id', '=', repositoryId).where('name', 'in', names).execute();
  return names.length > 0;
}

/** Before the manifests: one of them may have tens of thousands. */
async function deleteReferences(tx: WriteQueries, { repositoryId }: Gone): Promise<boolean> {
  const blobs = await tx
    .deleteFrom('manifest_blobs')
    .where((eb) =>
      eb(
        eb.refTuple('manifest_id', 'blob_id'),
        'in',
        eb
          .selectFrom('manifest_blobs')
          .select(['manifest_id', 'blob_id'])
          .where('repository_id', '=', repositoryId)
          .limit(batch)
          .$asTuple('manifest_id', 'blob_id'),
      ),
    )
    .returning('blob_id')
    .execute();
  if (blobs.length > 0) return true;
  const children = await tx
    .deleteFrom('manifest_children')
    .where((eb) =>
      eb(
        eb.refTuple('manifest_id', 'child_digest'),
        'in',
        eb
          .selectFrom('manifest_children')
          .select(['manifest_id', 'child_digest'])
          .where('repository_id', '=', repositoryId)
          .limit(batch)
          .$asTuple('manifest_id', 'child_digest'),
      ),
    )
    .returning('manifest_id')
    .execute();
  return children.length > 0;
}

async function deleteManifests(tx: WriteQueries, { repositoryId, registryId }: Gone): Promise<boolean> {
  const manifests = await tx
    .selectFrom('manifests')
    .select(['id', 'size_bytes'])
    .where('repository_id', '=', repositoryId)
    .limit(batch)
    .execute();
  let bytes = 0;
  const ids = manifests.filter((manifest) => (bytes += manifest.size_bytes) <= batchBytes).map((manifest) => manifest.id);
  if (ids.length === 0) return false;
  const deleted = await tx.deleteFrom('manifests').where('id', 'in', ids).returning('size_bytes').execute();
  const freed = deleted.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  await changeManifestBytes(tx, registryId, -freed);
  return true;
}

async function deleteLinks(tx: WriteQueries, { repositoryId, now }: Gone): Promise<boolean> {
  const links = await tx
    .selectFrom('repository_blobs')
    .select('blob_id')
    .where('repository_id', '=', repositoryId)
    .limit(batch)
    .execute();
  const blobIds = links.map((link) => link.blob_id);
  if (blobIds.length === 0) return false;
  await tx.deleteFrom('repository_blobs').where('repository_id', '=', repositoryId).where('blob_id', 'in', blobIds).execute();
  await addCandidates(tx, 'blob', blobIds.map(String), now);
  return true;
}

async function deleteUpload(tx: WriteQueries, { repositoryId, now }: Gone): Promise<boolean> {
  const upload = await lockRows(
    tx.selectFrom('uploads').select('id').where('repository_id', '=', repositoryId).limit(1),
  ).executeTakeFirst();
  if (upload === undefined) return false;
  await endUpload(tx, { uploadId: upload.id, untouchedPart: undefined, now });
  return true;
}
