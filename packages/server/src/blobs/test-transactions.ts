import { defineTransaction } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';
import { collectorTransactions } from '../platform/garbage/index.ts';
import { damageTransactions } from '../platform/damage/transactions.ts';
import { keyTransactions } from '../platform/keys/index.ts';
import { ensureRepository } from '../repositories/index.ts';
import { findLinkedBlobs } from './link-blob.ts';
import { linkSubject } from './model.ts';
import { blobTransactions } from './transactions.ts';

/** The server's transactions, as far as the tests of blobs need them, and some that only tests need. */

export const addRegistry = defineTransaction('test.add-registry', async (tx, input: { name: string }) => {
  const values = { name: input.name, anonymous_pull: 0, created_at: 0 };
  return (await tx.insertInto('registries').values(values).returning('id').executeTakeFirstOrThrow()).id;
});

export interface TestManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly dataKeyId: string;
  readonly blobs: readonly string[];
}

/** What the catalog does with blobs when a manifest comes: all of them held, or nothing is written. */
export const pushManifest = defineTransaction('test.push-manifest', async (tx, input: TestManifest): Promise<boolean> => {
  const repositoryId = await ensureRepository(tx, input.registryId, input.repository, 0);
  const linked = await findLinkedBlobs(tx, input.registryId, repositoryId, input.blobs);
  if (linked.size < input.blobs.length) return false;
  const { id } = await tx
    .insertInto('manifests')
    .values({
      repository_id: repositoryId,
      digest: input.digest,
      media_type: 'test',
      artifact_type: null,
      subject_digest: null,
      size_bytes: 0,
      data_key_id: input.dataKeyId,
      sealed_content: new Uint8Array(),
      sealed_annotations: null,
      pushed_at: 0,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const rows = [...linked.values()].map((blobId) => ({ manifest_id: id, repository_id: repositoryId, blob_id: blobId }));
  await tx.insertInto('manifest_blobs').values(rows).execute();
  return true;
});

export const deleteManifest = defineTransaction(
  'test.delete-manifest',
  async (tx, input: { registryId: number; repository: string; digest: string; dueAt: number }) => {
    const repositoryId = await ensureRepository(tx, input.registryId, input.repository, 0);
    const { id } = await tx
      .selectFrom('manifests')
      .select('id')
      .where('repository_id', '=', repositoryId)
      .where('digest', '=', input.digest)
      .executeTakeFirstOrThrow();
    const blobs = await tx.selectFrom('manifest_blobs').select('blob_id').where('manifest_id', '=', id).execute();
    await tx.deleteFrom('manifests').where('id', '=', id).execute();
    for (const { blob_id } of blobs) await addCandidate(tx, 'repository-blob', linkSubject(repositoryId, blob_id), input.dueAt);
  },
);

export const deleteRepository = defineTransaction(
  'test.delete-repository',
  async (tx, input: { registryId: number; name: string }) => {
    await tx
      .updateTable('repositories')
      .set({ deleted_at: 1 })
      .where('registry_id', '=', input.registryId)
      .where('name', '=', input.name)
      .execute();
  },
);

/** As if so many chunks had come. */
export const moveReservedPart = defineTransaction('test.move-reserved-part', async (tx, input: { position: number }) => {
  await tx.updateTable('parts').set({ position: input.position }).where('size_bytes', 'is', null).execute();
});

export const transactions = [
  ...collectorTransactions,
  ...keyTransactions,
  ...damageTransactions,
  ...blobTransactions,
  addRegistry,
  pushManifest,
  deleteManifest,
  deleteRepository,
  moveReservedPart,
];
