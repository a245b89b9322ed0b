import { type Database, type TransactionDefinition, lockRows } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';
import { type GarbageHandler, defineCollection } from '../platform/garbage/handler.ts';
import type { SealedStore } from '../platform/blob-store/index.ts';
import { garbageParts } from './queries.ts';

/** A link that no manifest uses, after its time for one to come. */
const collectLink = defineCollection('repository-blob', async (tx, { subject, now }) => {
  const [repositoryId = 0, blobId = 0] = subject.split(':').map(Number);
  const link = await lockRows(tx.selectFrom('repository_blobs').select('blob_id').where('repository_id', '=', repositoryId).where('blob_id', '=', blobId)).executeTakeFirst();
  if (link === undefined) return 'done';
  const user = await tx.selectFrom('manifest_blobs').select('manifest_id').where('repository_id', '=', repositoryId).where('blob_id', '=', blobId).limit(1).executeTakeFirst();
  // Whoever deletes the last manifest that uses it asks again.
  if (user !== undefined) return 'done';
  await tx.deleteFrom('repository_blobs').where('repository_id', '=', repositoryId).where('blob_id', '=', blobId).execute();
  await addCandidate(tx, 'blob', String(blobId), now);
  return 'done';
});

/** A blob that no repository may read. */
const collectBlob = defineCollection('blob', async (tx, { subject, now }) => {
  const blobId = Number(subject);
  const blob = await lockRows(tx.selectFrom('blobs').select('id').where('id', '=', blobId)).executeTakeFirst();
  if (blob === undefined) return 'done';
  const link = await tx.selectFrom('repository_blobs').select('repository_id').where('blob_id', '=', blobId).limit(1).executeTakeFirst();
  if (link !== undefined) return 'done';
  const parts = await tx.updateTable('parts').set({ blob_id: null }).where('blob_id', '=', blobId).returning('name').execute();
  for (const { name } of parts) await addCandidate(tx, 'part', name, now);
  await tx.deleteFrom('blobs').where('id', '=', blobId).execute();
  return 'done';
});

/** A part that belongs to nothing: its row goes once its object is gone. */
const collectPart = defineCollection('part', async (tx, { subject, isErased }) => {
  if (isErased) await tx.deleteFrom('parts').where('name', '=', subject).where('upload_id', 'is', null).where('blob_id', 'is', null).execute();
  return 'done';
});

export const collections: readonly TransactionDefinition<never, unknown>[] = [collectLink, collectBlob, collectPart];

export function garbageHandlers(options: { readonly database: Database; readonly store: SealedStore; readonly onFreed: (parts: number) => void }): readonly GarbageHandler[] {
  const erase = async (subjects: readonly string[]): Promise<readonly string[]> => {
    const names = await garbageParts(options.database.read, subjects);
    await options.store.deleteMany(names);
    options.onFreed(names.length);
    return names;
  };
  return [
    { kind: 'repository-blob', transaction: collectLink },
    { kind: 'blob', transaction: collectBlob },
    { kind: 'part', transaction: collectPart, erase },
  ];
}
