import { addCandidate } from '../platform/garbage/candidates.ts';
import { defineCollection } from '../platform/garbage/handler.ts';

/** Rows that one transaction deletes. */
const batch = 500;

/** A deleted repository: its manifests, uploads and links go batch by batch, then its row. */
export const repositoryCollection = defineCollection('repository', async (tx, { subject, now }) => {
  const id = Number(subject);
  const repository = await tx.selectFrom('repositories').select('deleted_at').where('id', '=', id).executeTakeFirst();
  if (repository === undefined || repository.deleted_at === null) return 'done';
  const tags = await tx.selectFrom('tags').select('name').where('repository_id', '=', id).limit(batch).execute();
  if (tags.length > 0) {
    await tx.deleteFrom('tags').where('repository_id', '=', id).where('name', 'in', tags.map((tag) => tag.name)).execute();
    return 'again';
  }
  const manifests = await tx.selectFrom('manifests').select('id').where('repository_id', '=', id).limit(batch).execute();
  if (manifests.length > 0) {
    await tx.deleteFrom('manifests').where('id', 'in', manifests.map((manifest) => manifest.id)).execute();
    return 'again';
  }
  const uploads = await tx.selectFrom('uploads').select('id').where('repository_id', '=', id).limit(1).execute();
  for (const upload of uploads) {
    const parts = await tx.updateTable('parts').set({ upload_id: null }).where('upload_id', '=', upload.id).returning('name').execute();
    for (const { name } of parts) await addCandidate(tx, 'part', name, now);
    await tx.deleteFrom('uploads').where('id', '=', upload.id).execute();
  }
  if (uploads.length > 0) return 'again';
  const links = await tx.selectFrom('repository_blobs').select('blob_id').where('repository_id', '=', id).limit(batch).execute();
  if (links.length > 0) {
    const blobIds = links.map((link) => link.blob_id);
    await tx.deleteFrom('repository_blobs').where('repository_id', '=', id).where('blob_id', 'in', blobIds).execute();
    for (const blobId of blobIds) await addCandidate(tx, 'blob', String(blobId), now);
    return 'again';
  }
  await tx.deleteFrom('repositories').where('id', '=', id).execute();
  return 'done';
});
