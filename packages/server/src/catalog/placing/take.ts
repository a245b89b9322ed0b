import type { WriteQueries } from '../../platform/database/index.ts';
import { addCandidate } from '../../platform/garbage/candidates.ts';
import { deletesSoftly, findRepositoryId } from '../../repositories/index.ts';
import type { Place } from '../bin/put-into-bin.ts';
import { countIn } from '../count-in.ts';
import { lockManifest } from '../insert-manifest.ts';
import { takeLiveManifest, takeLiveTag } from '../take-live.ts';

/** Takes a tag off as it was taken off elsewhere, whatever locks say. False: there is none. */
export async function takeTag(tx: WriteQueries, { tag, ...place }: Place & { readonly tag: string }): Promise<boolean> {
  const { registryId, repository, now } = place;
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return false;
  const isSoft = await deletesSoftly(tx, registryId);
  const taken = await takeLiveTag(tx, { ...place, repositoryId, isSoft }, tag);
  if (taken === undefined) return false;
  await countIn(tx, repositoryId, { manifests: 0, tags: -1, now });
  return true;
}

export interface ManifestToTake extends Place {
  readonly digest: string;
  /** When collection should look at the blobs that may have lost their last use (ms). */
  readonly dueAt: number;
}

/** Takes a manifest away with its tags, as it was deleted elsewhere, whatever locks say. Undefined: there is none; else its tags. */
export async function takeManifest(
  tx: WriteQueries,
  { digest, ...place }: ManifestToTake,
): Promise<readonly string[] | undefined> {
  const { registryId, repository, now } = place;
  const repositoryId = await findRepositoryId(tx, registryId, repository);
  if (repositoryId === undefined) return undefined;
  const manifest = await lockManifest(tx, repositoryId, digest);
  if (manifest === undefined) return undefined;
  const isSoft = await deletesSoftly(tx, registryId);
  const tags = await takeLiveManifest(tx, { ...place, repositoryId, isSoft }, manifest);
  await countIn(tx, repositoryId, { manifests: -1, tags: -tags.length, now });
  return tags.map((tag) => tag.name);
}

/**
 * Takes a whole repository away as it was deleted elsewhere, whatever locks say and however much it holds: its rows go in
 * batches, into the bin where the registry deletes softly. False: there is none.
 */
export async function takeRepository(tx: WriteQueries, { registryId, repository, now }: Place): Promise<boolean> {
  const taken = await tx
    .updateTable('repositories')
    .set({ deleted_at: now })
    .where('registry_id', '=', registryId)
    .where('name', '=', repository)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (taken === undefined) return false;
  await addCandidate(tx, 'repository', String(taken.id), now);
  return true;
}
