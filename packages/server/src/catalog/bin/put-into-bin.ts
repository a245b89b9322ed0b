import type { WriteQueries } from '../../platform/database/index.ts';
import { changeManifestBytes } from '../../platform/stored-bytes/index.ts';

/** Where in which registry, and when. */
export interface Place {
  readonly registryId: number;
  readonly repository: string;
  readonly now: number;
}

const copied = [
  'digest',
  'media_type',
  'artifact_type',
  'subject_digest',
  'size_bytes',
  'data_key_id',
  'sealed_content',
  'sealed_annotations',
  'pushed_at',
  'delete_enabled',
  'write_enabled',
  'list_enabled',
  'read_enabled',
  'quarantine_state',
  'quarantine_details',
] as const;

/** Columns that a manifest has both live and in the bin. */
export const manifestColumns = copied;

/** Keeps a manifest and its tags for as long as they can be restored; the caller takes the live rows away. */
export async function keepManifest(tx: WriteQueries, { registryId, repository, now }: Place, manifestId: number): Promise<void> {
  const manifest = await tx.selectFrom('manifests').select(copied).where('id', '=', manifestId).executeTakeFirstOrThrow();
  await forgetManifest(tx, { registryId, repository }, manifest.digest);
  const { id } = await tx
    .insertInto('deleted_manifests')
    .values({ registry_id: registryId, repository, ...manifest, deleted_at: now })
    .returning('id')
    .executeTakeFirstOrThrow();
  await changeManifestBytes(tx, registryId, manifest.size_bytes);
  await tx
    .insertInto('deleted_manifest_blobs')
    .columns(['deleted_id', 'blob_id'])
    .expression((eb) =>
      eb
        .selectFrom('manifest_blobs')
        .select([eb.val(id).as('deleted_id'), 'blob_id'])
        .where('manifest_id', '=', manifestId),
    )
    .execute();
  await tx
    .insertInto('deleted_manifest_children')
    .columns(['deleted_id', 'child_digest'])
    .expression((eb) =>
      eb
        .selectFrom('manifest_children')
        .select([eb.val(id).as('deleted_id'), 'child_digest'])
        .where('manifest_id', '=', manifestId),
    )
    .execute();
  const tags = await tx.selectFrom('tags').select('name').where('manifest_id', '=', manifestId).execute();
  for (const { name } of tags) await keepTag(tx, { registryId, repository, now }, { name, digest: manifest.digest });
}

/** Keeps what a tag named. */
export async function keepTag(
  tx: WriteQueries,
  { registryId, repository, now }: Place,
  { name, digest }: { readonly name: string; readonly digest: string },
): Promise<void> {
  await tx
    .insertInto('deleted_tags')
    .values({ registry_id: registryId, repository, name, digest, deleted_at: now })
    .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'name', 'digest']).doUpdateSet({ deleted_at: now }))
    .execute();
}

/** A manifest is live again: what the bin has of it is no longer needed. */
export async function forgetManifest(
  tx: WriteQueries,
  { registryId, repository }: Omit<Place, 'now'>,
  digest: string,
): Promise<void> {
  const forgotten = await tx
    .deleteFrom('deleted_manifests')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .returning('size_bytes')
    .executeTakeFirst();
  if (forgotten !== undefined) await changeManifestBytes(tx, registryId, -forgotten.size_bytes);
}
