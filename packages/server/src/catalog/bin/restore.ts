import { linkBlob } from '../../blobs/index.ts';
import { RegistryError } from '../../errors/index.ts';
import { type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import { ensureRepository, requireWritable } from '../../repositories/index.ts';
import { countIn } from '../count-in.ts';
import { noteMovedTags } from '../moved-tags.ts';
import { changeManifestBytes } from '../../platform/stored-bytes/index.ts';
import { type Place, forgetManifest, manifestColumns } from './put-into-bin.ts';

export interface Restore extends Place {
  readonly digest: string;
  /** The one tag to restore; undefined: all that went with it, where their names are free. */
  readonly tag: string | undefined;
  /** Moves the tag although it names another manifest now. */
  readonly isForced: boolean;
  /** When collection should look at blobs that no manifest came to use (ms). */
  readonly dueAt: number;
}

export type Restored = 'restored' | 'unknown';

/** An index of indexes of indexes: nobody builds deeper ones. */
const maxDepth = 8;

/**
 * Makes a deleted manifest live again, with its blobs, the images of an index that went, too, and its tag. A tag of a live
 * manifest is restored in the same way. @throws CONFLICT, REGISTRY_DISALLOWED_OPERATION
 */
export const restoreManifest = defineTransaction('catalog.restore', async (tx, input: Restore): Promise<Restored> => {
  const kept = await findKept(tx, input, input.digest);
  const repositoryId = await ensureRepository(tx, input.registryId, input.repository, input.now);
  const live = await findLive(tx, repositoryId, input.digest);
  if (kept === undefined && live === undefined) return 'unknown';
  const before = live === undefined ? await revive(tx, input, { repositoryId, digest: input.digest, depth: 0 }) : 0;
  const manifest = await findLive(tx, repositoryId, input.digest);
  if (manifest === undefined) throw new Error('a manifest that was restored is not there');
  const tags = await restoreTags(tx, input, { repositoryId, manifestId: manifest });
  await countIn(tx, repositoryId, { manifests: before, tags, now: input.now });
  return 'restored';
});

async function findKept(
  tx: WriteQueries,
  { registryId, repository }: Place,
  digest: string,
): Promise<{ readonly id: number } | undefined> {
  return lockRows(
    tx
      .selectFrom('deleted_manifests')
      .select('id')
      .where('registry_id', '=', registryId)
      .where('repository', '=', repository)
      .where('digest', '=', digest),
  ).executeTakeFirst();
}

async function findLive(tx: WriteQueries, repositoryId: number, digest: string): Promise<number | undefined> {
  const row = await tx
    .selectFrom('manifests')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.id;
}

/** Returns how many manifests came back. */
async function revive(
  tx: WriteQueries,
  place: Restore,
  { repositoryId, digest, depth }: { readonly repositoryId: number; readonly digest: string; readonly depth: number },
): Promise<number> {
  const kept = await findKept(tx, place, digest);
  if (kept === undefined || depth > maxDepth)
    throw new RegistryError('CONFLICT', {
      message: `${place.digest} needs the manifest ${digest}, which can no longer be restored: push it first`,
    });
  const children = await tx
    .selectFrom('deleted_manifest_children')
    .select('child_digest')
    .where('deleted_id', '=', kept.id)
    .execute();
  let revived = 1;
  for (const { child_digest } of children)
    if ((await findLive(tx, repositoryId, child_digest)) === undefined)
      revived += await revive(tx, place, { repositoryId, digest: child_digest, depth: depth + 1 });
  const blobs = await tx
    .selectFrom('deleted_manifest_blobs')
    .select('blob_id')
    .where('deleted_id', '=', kept.id)
    .orderBy('blob_id')
    .execute();
  for (const { blob_id } of blobs) await linkBlob(tx, { repositoryId, blobId: blob_id, now: place.now, dueAt: place.dueAt });
  const row = await tx
    .selectFrom('deleted_manifests')
    .select(manifestColumns)
    .where('id', '=', kept.id)
    .executeTakeFirstOrThrow();
  const { id } = await tx
    .insertInto('manifests')
    .values({ repository_id: repositoryId, ...row, updated_at: place.now })
    .returning('id')
    .executeTakeFirstOrThrow();
  await changeManifestBytes(tx, place.registryId, row.size_bytes);
  for (const { blob_id } of blobs)
    await tx.insertInto('manifest_blobs').values({ manifest_id: id, repository_id: repositoryId, blob_id }).execute();
  for (const { child_digest } of children)
    await tx.insertInto('manifest_children').values({ manifest_id: id, repository_id: repositoryId, child_digest }).execute();
  await forgetManifest(tx, place, digest);
  return revived;
}

/** Returns how many tags are new. @throws CONFLICT when the tag that was asked for names another manifest */
async function restoreTags(
  tx: WriteQueries,
  input: Restore,
  { repositoryId, manifestId }: { readonly repositoryId: number; readonly manifestId: number },
): Promise<number> {
  const gone = await tx
    .selectFrom('deleted_tags')
    .select('name')
    .where('registry_id', '=', input.registryId)
    .where('repository', '=', input.repository)
    .where('digest', '=', input.digest)
    .execute();
  const names = input.tag === undefined ? gone.map((row) => row.name) : [input.tag];
  const moved: string[] = [];
  let added = 0;
  for (const name of names.toSorted()) {
    const outcome = await restoreTag(tx, input, { repositoryId, manifestId, name });
    if (outcome === 'added') added += 1;
    if (outcome !== 'unchanged') moved.push(name);
  }
  await noteMovedTags(tx, { ...input, tags: moved, runId: null });
  return added;
}

async function restoreTag(
  tx: WriteQueries,
  { registryId, repository, digest, tag, isForced, now }: Restore,
  { repositoryId, manifestId, name }: { readonly repositoryId: number; readonly manifestId: number; readonly name: string },
): Promise<'added' | 'moved' | 'unchanged'> {
  const present = await lockRows(
    tx
      .selectFrom('tags')
      .select(['manifest_id', 'write_enabled'])
      .where('repository_id', '=', repositoryId)
      .where('name', '=', name),
  ).executeTakeFirst();
  const times = { pushed_at: now, updated_at: now };
  if (present !== undefined && present.manifest_id !== manifestId) {
    // Without being asked for it, no tag is taken from what it names now.
    if (tag === undefined) return 'unchanged';
    if (!isForced)
      throw new RegistryError('CONFLICT', {
        message: `the tag ${name} of ${repository} names another manifest now; restore it with force=true to move it`,
      });
    requireWritable(present, `the tag ${name} of ${repository}`);
    await tx
      .updateTable('tags')
      .set({ manifest_id: manifestId, ...times })
      .where('repository_id', '=', repositoryId)
      .where('name', '=', name)
      .execute();
  }
  if (present === undefined)
    await tx
      .insertInto('tags')
      .values({ repository_id: repositoryId, name, manifest_id: manifestId, created_at: now, ...times })
      .execute();
  await tx.updateTable('manifests').set({ untagged_at: null }).where('id', '=', manifestId).execute();
  await tx
    .deleteFrom('deleted_tags')
    .where('registry_id', '=', registryId)
    .where('repository', '=', repository)
    .where('name', '=', name)
    .where('digest', '=', digest)
    .execute();
  if (present === undefined) return 'added';
  return present.manifest_id === manifestId ? 'unchanged' : 'moved';
}
