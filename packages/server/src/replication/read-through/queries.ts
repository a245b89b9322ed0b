import { type ReadQueries, prepareRead } from '../../platform/database/index.ts';

interface TagName extends Record<string, unknown> {
  readonly registryId: number;
  readonly repository: string;
  readonly tag: string;
}

const awaitedTag = prepareRead<TagName, { readonly id: number }>((db, { registryId, repository, tag }) =>
  db
    .selectFrom('registers')
    .innerJoin('pending_manifests', (join) =>
      join
        .onRef('pending_manifests.registry_id', '=', 'registers.registry_id')
        .onRef('pending_manifests.repository', '=', 'registers.repository')
        .onRef('pending_manifests.digest', '=', 'registers.digest'),
    )
    .select('pending_manifests.id')
    .where('registers.registry_id', '=', registryId)
    .where('registers.repository', '=', repository)
    .where('registers.kind', '=', 'tag')
    .where('registers.name', '=', tag),
);

/** Whether what a tag was set to last is on its way: each pull by tag of a replicated registry asks. */
export async function isTagAwaited(db: ReadQueries, name: TagName): Promise<boolean> {
  return (await awaitedTag.first(db, name)) !== undefined;
}

export interface AwaitedBlob {
  readonly size_bytes: number;
  /** The region that told of a manifest that needs it. */
  readonly source: string;
}

const awaitedBlob = prepareRead<{ registryId: number; repository: string; digest: string }, AwaitedBlob>(
  (db, { registryId, repository, digest }) =>
    db
      .selectFrom('pending_blobs')
      .innerJoin('pending_manifests', 'pending_manifests.id', 'pending_blobs.pending_id')
      .select(['pending_blobs.size_bytes', 'pending_manifests.source'])
      .where('pending_blobs.registry_id', '=', registryId)
      .where('pending_blobs.repository', '=', repository)
      .where('pending_blobs.digest', '=', digest)
      .where('pending_blobs.is_manifest', '=', 0)
      .limit(1),
);

/** A blob that a manifest of the repository needs which is not complete here. */
export function findAwaitedBlob(
  db: ReadQueries,
  name: { readonly registryId: number; readonly repository: string; readonly digest: string },
): Promise<AwaitedBlob | undefined> {
  return awaitedBlob.first(db, name);
}
