import type { SealedStore } from '../platform/blob-store/index.ts';
import { type Database, type TransactionDefinition, lockRows } from '../platform/database/index.ts';
import { type GarbageHandler, defineCollection } from '../platform/garbage/index.ts';
import { removeStored } from '../platform/stored-bytes/index.ts';
import { freeParts } from './free-parts.ts';
import { deleteLink, isAwaited, isUsed, lockLink } from './link-blob.ts';
import { parseLinkSubject } from './model.ts';
import { garbageParts } from './queries.ts';

/** A manifest that is not complete here may still go without ever having been: nobody asks about its blobs then. */
const awaitedLookMs = 3_600_000;

/** A link that no manifest uses, after its time for one to come. A push or mount meanwhile has moved that time on. */
const collectLink = defineCollection('repository-blob', async (tx, { subject, now }) => {
  const { repositoryId, blobId } = parseLinkSubject(subject);
  if (!(await lockLink(tx, repositoryId, blobId))) return 'done';
  // Whoever deletes the last manifest that uses it asks again.
  if (await isUsed(tx, repositoryId, blobId)) return 'done';
  if (await isAwaited(tx, repositoryId, blobId)) return { lookAgainAt: now + awaitedLookMs };
  await deleteLink(tx, repositoryId, blobId, now);
  return 'done';
});

/** A blob that no repository may read. */
const collectBlob = defineCollection('blob', async (tx, { subject, now }) => {
  const blobId = Number(subject);
  // Conflicts with the key share that every new link takes: a mount is either seen here, or finds the blob gone.
  const blob = await lockRows(
    tx.selectFrom('blobs').select(['registry_id', 'size_bytes']).where('id', '=', blobId),
  ).executeTakeFirst();
  if (blob === undefined) return 'done';
  const link = await tx
    .selectFrom('repository_blobs')
    .select('repository_id')
    .where('blob_id', '=', blobId)
    .limit(1)
    .executeTakeFirst();
  // What lies in the bin may be restored; whoever takes it out of there asks again.
  const kept = await tx
    .selectFrom('deleted_manifest_blobs')
    .select('deleted_id')
    .where('blob_id', '=', blobId)
    .limit(1)
    .executeTakeFirst();
  if (link !== undefined || kept !== undefined) return 'done';
  const parts = await tx
    .updateTable('parts')
    .set({ blob_id: null })
    .where('blob_id', '=', blobId)
    .returning(['name', 'size_bytes'])
    .execute();
  await freeParts(tx, parts, now);
  await tx.deleteFrom('blobs').where('id', '=', blobId).execute();
  await removeStored(tx, blob.registry_id, blob.size_bytes);
  return 'done';
});

/** A part that belongs to nothing: its row goes once its object is gone. */
const collectPart = defineCollection('part', async (tx, { subject, isErased }) => {
  if (isErased) {
    await tx
      .deleteFrom('parts')
      .where('name', '=', subject)
      .where('upload_id', 'is', null)
      .where('blob_id', 'is', null)
      .execute();
  }
  return 'done';
});

export const collections: readonly TransactionDefinition<never, unknown>[] = [collectLink, collectBlob, collectPart];

export interface CollectionOptions {
  readonly database: Database;
  readonly store: SealedStore;
  readonly onFreed: (parts: number) => void;
}

/** What this feature knows of garbage: links, blobs and parts. */
export function garbageHandlers({ database, store, onFreed }: CollectionOptions): readonly GarbageHandler[] {
  const erase = async (subjects: readonly string[]): Promise<readonly string[]> => {
    const names = await garbageParts(database.read, subjects);
    await store.deleteMany(names);
    onFreed(names.length);
    return names;
  };
  return [
    { kind: 'repository-blob', transaction: collectLink },
    { kind: 'blob', transaction: collectBlob },
    { kind: 'part', transaction: collectPart, erase },
  ];
}
