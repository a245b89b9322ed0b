import { type TransactionDefinition, type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { isBlobDamaged } from '../platform/damage/index.ts';
import { addCandidate, renewCandidate } from '../platform/garbage/candidates.ts';
import { ensureAnyRepository, ensureRepository, findDeletable, findRepository, findRepositoryId } from '../repositories/index.ts';
import { endUpload } from './free-parts.ts';
import { linkSubject } from './model.ts';

export interface Link {
  readonly repositoryId: number;
  readonly blobId: number;
  readonly now: number;
  /** When collection should look whether a manifest came to use the blob (ms). */
  readonly dueAt: number;
}

/** Lets a repository read a blob, anew if it does already: until `dueAt` collection leaves the link alone. */
export async function linkBlob(tx: WriteQueries, { repositoryId, blobId, now, dueAt }: Link): Promise<void> {
  // The candidate first, as collection takes them: so the two wait for each other in one order.
  await renewCandidate(tx, 'repository-blob', linkSubject(repositoryId, blobId), dueAt);
  await tx
    .insertInto('repository_blobs')
    .values({ repository_id: repositoryId, blob_id: blobId, linked_at: now })
    .onConflict((conflict) => conflict.columns(['repository_id', 'blob_id']).doUpdateSet({ linked_at: now }))
    .execute();
}

const digestsPerQuery = 500;

/**
 * The blobs of a repository by digest, held against collection and deletion until the transaction ends. Digests that the
 * repository does not have are missing from the map.
 */
export async function findLinkedBlobs(
  tx: WriteQueries,
  registryId: number,
  repositoryId: number,
  digests: readonly string[],
): Promise<Map<string, number>> {
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
    const ids = rows.map((row) => row.id);
    const held = ids.length === 0 ? new Set<number>() : await holdLinks(tx, repositoryId, ids);
    for (const row of rows) if (held.has(row.id)) found.set(row.digest, row.id);
  }
  return found;
}

/** `FOR KEY SHARE`, as the foreign key of a manifest takes it: pushes do not wait for each other. SQLite leaves it out. */
async function holdLinks(tx: WriteQueries, repositoryId: number, blobIds: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await tx
    .selectFrom('repository_blobs')
    .select('blob_id')
    .where('repository_id', '=', repositoryId)
    .where('blob_id', 'in', blobIds)
    .orderBy('blob_id')
    .forKeyShare()
    .execute();
  return new Set(rows.map((row) => row.blob_id));
}

export interface MountBlob {
  readonly registryId: number;
  readonly digest: string;
  readonly source: string;
  readonly target: string;
  readonly now: number;
  readonly dueAt: number;
}

/**
 * Lets a repository read a blob that another one has (OCI end-11). False when the source does not have it, or has it
 * damaged: then the client sends the bytes, and so repairs it.
 */
export const mountBlob = defineTransaction('blobs.mount', async (tx, input: MountBlob): Promise<boolean> => {
  const source = await findRepository(tx, input.registryId, input.source);
  // What may not be read cannot be read by way of another repository.
  if (source?.read_enabled === 0) return false;
  const blobId = await holdLinkedBlob(tx, { ...input, repository: input.source });
  if (blobId === undefined || (await isBlobDamaged(tx, blobId))) return false;
  const repositoryId = await ensureRepository(tx, input.registryId, input.target, input.now);
  await linkBlob(tx, { repositoryId, blobId, now: input.now, dueAt: input.dueAt });
  return true;
});

export interface LinkStored {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly now: number;
  readonly dueAt: number;
}

/**
 * Lets a repository read a blob that the registry has, wherever it is: for what another region took into it. False when
 * it is not here, or damaged.
 */
export const linkStored = defineTransaction('blobs.link-stored', async (tx, input: LinkStored): Promise<boolean> => {
  const { registryId, repository, digest, now, dueAt } = input;
  // Held first: what collection finds linked afterwards it leaves alone.
  const blobId = await holdBlob(tx, registryId, digest);
  if (blobId === undefined || (await isBlobDamaged(tx, blobId))) return false;
  const { id } = await ensureAnyRepository(tx, registryId, repository, now);
  await linkBlob(tx, { repositoryId: id, blobId, now, dueAt });
  return true;
});

export interface RenewLink {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly now: number;
  readonly dueAt: number;
  /** An upload that came to nothing more than this. */
  readonly endedUpload?: { readonly uploadId: string; readonly untouchedPart: string | undefined };
}

/** Gives a link its time anew, as a push does. False when there is none (any more); an upload is ended all the same. */
export const renewLink = defineTransaction('blobs.renew-link', async (tx, input: RenewLink): Promise<boolean> => {
  if (input.endedUpload !== undefined) await endUpload(tx, { ...input.endedUpload, now: input.now });
  const blobId = await holdLinkedBlob(tx, input);
  const repositoryId = await findRepositoryId(tx, input.registryId, input.repository);
  if (blobId === undefined || repositoryId === undefined) return false;
  await linkBlob(tx, { repositoryId, blobId, now: input.now, dueAt: input.dueAt });
  return true;
});

interface BlobPlace {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
}

/** The id of a blob that a repository has; neither it nor the link can be collected until the transaction ends. */
async function holdLinkedBlob(tx: WriteQueries, { registryId, repository, digest }: BlobPlace): Promise<number | undefined> {
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return undefined;
  const blobId = await holdBlob(tx, registryId, digest);
  if (blobId === undefined) return undefined;
  return (await holdLinks(tx, repositoryId, [blobId])).has(blobId) ? blobId : undefined;
}

/** The id of a blob of a registry, which cannot be collected until the transaction ends. */
async function holdBlob(tx: WriteQueries, registryId: number, digest: string): Promise<number | undefined> {
  const blob = await tx
    .selectFrom('blobs')
    .select('id')
    .where('registry_id', '=', registryId)
    .where('digest', '=', digest)
    .forKeyShare()
    .executeTakeFirst();
  return blob?.id;
}

export interface UnlinkBlob extends BlobPlace {
  readonly now: number;
}

/** Takes a blob out of a repository unless a manifest there needs it. @throws REGISTRY_DISALLOWED_OPERATION */
export const unlinkBlob = defineTransaction(
  'blobs.unlink',
  async (tx, input: UnlinkBlob): Promise<'unknown' | 'in-use' | 'unlinked'> => {
    const repositoryId = await findDeletable(tx, input.registryId, input.repository);
    if (repositoryId === undefined) return 'unknown';
    const blob = await tx
      .selectFrom('blobs')
      .select('id')
      .where('registry_id', '=', input.registryId)
      .where('digest', '=', input.digest)
      .executeTakeFirst();
    if (blob === undefined) return 'unknown';
    if (!(await lockLink(tx, repositoryId, blob.id))) return 'unknown';
    if ((await isUsed(tx, repositoryId, blob.id)) || (await isAwaited(tx, repositoryId, blob.id))) return 'in-use';
    await deleteLink(tx, repositoryId, blob.id, input.now);
    return 'unlinked';
  },
);

/** Waits for manifests that are being pushed with this blob, and keeps new ones out. False when there is no such link. */
export async function lockLink(tx: WriteQueries, repositoryId: number, blobId: number): Promise<boolean> {
  const row = await lockRows(
    tx.selectFrom('repository_blobs').select('blob_id').where('repository_id', '=', repositoryId).where('blob_id', '=', blobId),
  ).executeTakeFirst();
  return row !== undefined;
}

export async function isUsed(tx: WriteQueries, repositoryId: number, blobId: number): Promise<boolean> {
  const user = await tx
    .selectFrom('manifest_blobs')
    .select('manifest_id')
    .where('repository_id', '=', repositoryId)
    .where('blob_id', '=', blobId)
    .limit(1)
    .executeTakeFirst();
  return user !== undefined;
}

/** Whether a manifest needs a blob that is on its way from another region (attack 40). */
export async function isAwaited(tx: WriteQueries, repositoryId: number, blobId: number): Promise<boolean> {
  const row = await tx
    .selectFrom('repositories')
    .innerJoin('pending_blobs', (join) =>
      join
        .onRef('pending_blobs.registry_id', '=', 'repositories.registry_id')
        .onRef('pending_blobs.repository', '=', 'repositories.name'),
    )
    .innerJoin('blobs', (join) =>
      join.onRef('blobs.digest', '=', 'pending_blobs.digest').onRef('blobs.registry_id', '=', 'pending_blobs.registry_id'),
    )
    .select('blobs.id')
    .where('repositories.id', '=', repositoryId)
    .where('repositories.deleted_at', 'is', null)
    .where('blobs.id', '=', blobId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** From the next read on the repository does not have the blob; if no other has it either, it is collected. */
export async function deleteLink(tx: WriteQueries, repositoryId: number, blobId: number, now: number): Promise<void> {
  await tx.deleteFrom('repository_blobs').where('repository_id', '=', repositoryId).where('blob_id', '=', blobId).execute();
  await addCandidate(tx, 'blob', String(blobId), now);
}

export const linkTransactions: readonly TransactionDefinition<never, unknown>[] = [mountBlob, linkStored, renewLink, unlinkBlob];
