import { type WriteQueries, lockRows } from '../platform/database/index.ts';
import { addCandidate } from '../platform/garbage/candidates.ts';

/** Links a blob to a repository, anew if it is linked, and asks collection to look once `dueAt` has passed. */
export async function linkBlob(tx: WriteQueries, link: { readonly repositoryId: number; readonly blobId: number; readonly now: number; readonly dueAt: number }): Promise<void> {
  await tx
    .insertInto('repository_blobs')
    .values({ repository_id: link.repositoryId, blob_id: link.blobId, linked_at: link.now })
    .onConflict((conflict) => conflict.columns(['repository_id', 'blob_id']).doUpdateSet({ linked_at: link.now }))
    .execute();
  await addCandidate(tx, 'repository-blob', `${link.repositoryId}:${link.blobId}`, link.dueAt);
}

const digestsPerQuery = 500;

/**
 * The blobs of a repository by digest, locked against collection until the transaction ends. Digests that the
 * repository does not have are missing from the map.
 */
export async function findLinkedBlobs(tx: WriteQueries, registryId: number, repositoryId: number, digests: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let start = 0; start < digests.length; start += digestsPerQuery) {
    const rows = await tx
      .selectFrom('blobs')
      .innerJoin('repository_blobs', 'repository_blobs.blob_id', 'blobs.id')
      .select(['blobs.id', 'blobs.digest'])
      .where('blobs.registry_id', '=', registryId)
      .where('blobs.digest', 'in', digests.slice(start, start + digestsPerQuery))
      .where('repository_blobs.repository_id', '=', repositoryId)
      .execute();
    const ids = rows.map((row) => row.id).sort((left, right) => left - right);
    const locked = ids.length === 0 ? new Set<number>() : await lockLinks(tx, repositoryId, ids);
    for (const row of rows) if (locked.has(row.id)) found.set(row.digest, row.id);
  }
  return found;
}

/** In the order of ids, so that two pushes cannot wait for each other. */
async function lockLinks(tx: WriteQueries, repositoryId: number, blobIds: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await lockRows(
    tx.selectFrom('repository_blobs').select('blob_id').where('repository_id', '=', repositoryId).where('blob_id', 'in', blobIds).orderBy('blob_id'),
  ).execute();
  return new Set(rows.map((row) => row.blob_id));
}
