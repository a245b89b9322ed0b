import type { WriteQueries } from '../platform/database/index.ts';

export interface MovedTags {
  readonly registryId: number;
  readonly repository: string;
  /** Those that name another manifest than before, or are new. */
  readonly tags: readonly string[];
  readonly digest: string;
  /** The run that pushed, if one did. */
  readonly runId: string | null;
  readonly now: number;
}

/** Tags that a run needs for itself and takes off again. */
const passingPrefix = '_berth-';

/** Leaves word for whoever builds on these tags. With the lock of each tag held, so that the rows of a tag are in its order. */
export async function noteMovedTags(tx: WriteQueries, moved: MovedTags): Promise<void> {
  const { registryId: registry_id, repository, digest, runId: run_id, now: moved_at } = moved;
  const rows = moved.tags
    .filter((tag) => !tag.startsWith(passingPrefix))
    .map((tag) => ({ registry_id, repository, tag, digest, moved_at, run_id }));
  if (rows.length > 0) await tx.insertInto('moved_tags').values(rows).execute();
}

/** Nobody could build on what was in quarantine: for them its tags move when it is let out. */
export async function noteLetOut(
  tx: WriteQueries,
  { registryId, repository, now }: Pick<MovedTags, 'registryId' | 'repository' | 'now'>,
  { repositoryId, digest }: { readonly repositoryId: number; readonly digest: string },
): Promise<void> {
  const tags = await tx
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select('tags.name')
    .where('manifests.repository_id', '=', repositoryId)
    .where('manifests.digest', '=', digest)
    .orderBy('tags.name')
    .limit(maxTagsLetOut)
    .execute();
  await noteMovedTags(tx, { registryId, repository, tags: tags.map(({ name }) => name), digest, runId: null, now });
}

/** An image has a few; of one that has thousands, those who build on the rest wait for its next push. */
const maxTagsLetOut = 500;
