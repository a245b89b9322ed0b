import type { FactRequest } from '@berth/api';
import type { Selectable } from 'kysely';
import { linkBlob } from '../../blobs/index.ts';
import type { LocalChange } from '../../changes/index.ts';
import { RegistryError } from '../../errors/index.ts';
import { type DeletedManifestRow, type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import { type AttributeFlags, attributeColumns, ensureRepository, requireWritable } from '../../repositories/index.ts';
import { countIn } from '../count-in.ts';
import { type LockedManifest, lockManifest } from '../insert-manifest.ts';
import { logChanges } from '../log-changes.ts';
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
  readonly request?: FactRequest | undefined;
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
  const revived = live === undefined ? await revive(tx, input, { repositoryId, digest: input.digest, depth: 0 }) : [];
  const manifest = await lockManifest(tx, repositoryId, input.digest);
  if (manifest === undefined) throw new Error('a manifest that was restored is not there');
  const tags = await restoreTags(tx, input, { repositoryId, manifestId: manifest.id });
  const added = tags.filter((tag) => tag.isNew).length;
  const counted = await countIn(tx, repositoryId, { manifests: revived.length, tags: added, now: input.now });
  if (!counted.isGone) await logRestored(tx, input, { manifest, revived, tags, isFirst: counted.manifests === revived.length });
  return 'restored';
});

interface RestoredTag {
  readonly name: string;
  readonly isNew: boolean;
}

type RevivedManifest = AttributeFlags &
  Pick<Selectable<DeletedManifestRow>, 'digest' | 'media_type' | 'size_bytes' | 'quarantine_state' | 'quarantine_details'>;

interface WhatCameBack {
  readonly manifest: LockedManifest;
  /** It, and images of an index that went, too. */
  readonly revived: readonly RevivedManifest[];
  readonly tags: readonly RestoredTag[];
  readonly isFirst: boolean;
}

/** What a manifest had been told before its deletion comes back with it, and is told anew. */
async function logRestored(tx: WriteQueries, input: Restore, { manifest, revived, tags, isFirst }: WhatCameBack): Promise<void> {
  const { repository } = input;
  const content = { mediaType: manifest.media_type, sizeBytes: manifest.size_bytes };
  const changes: LocalChange[] = revived.flatMap((each) => restorationOf(repository, each, input.digest, tags.length === 0));
  if (revived.length === 0 && tags.length > 0)
    changes.push({ action: 'push', repository, digest: input.digest, content, isVisible: false });
  for (const { name } of tags) changes.push({ action: 'tag', repository, tag: name, digest: input.digest, content });
  const created = [...tags.filter((tag) => tag.isNew).map((tag) => tag.name), ...(isFirst ? [''] : [])];
  await logChanges(tx, { ...input, changes, created });
}

function restorationOf(repository: string, row: RevivedManifest, wanted: string, isUntagged: boolean): readonly LocalChange[] {
  const { digest } = row;
  const content = { mediaType: row.media_type, sizeBytes: row.size_bytes };
  const flags = attributeColumns.filter((name) => row[name] === 0).map((name) => [name, 0] as const);
  const decided = (['quarantine_state', 'quarantine_details'] as const)
    .filter((name) => row[name] !== null)
    .map((name) => [name, row[name]] as const);
  const values = Object.fromEntries([...flags, ...decided]);
  return [
    { action: 'push', repository, digest, content, isVisible: isUntagged && digest === wanted },
    ...(Object.keys(values).length > 0
      ? [{ action: 'attributes', repository, of: { digest }, values, isVisible: false } as const]
      : []),
  ];
}

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

/** Returns the manifests that came back. */
async function revive(
  tx: WriteQueries,
  place: Restore,
  { repositoryId, digest, depth }: { readonly repositoryId: number; readonly digest: string; readonly depth: number },
): Promise<readonly RevivedManifest[]> {
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
  const revived: RevivedManifest[] = [];
  for (const { child_digest } of children)
    if ((await findLive(tx, repositoryId, child_digest)) === undefined)
      revived.push(...(await revive(tx, place, { repositoryId, digest: child_digest, depth: depth + 1 })));
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
  return [...revived, row];
}

/** Returns the tags that name it now and did not before. @throws CONFLICT when the tag that was asked for names another manifest */
async function restoreTags(
  tx: WriteQueries,
  input: Restore,
  { repositoryId, manifestId }: { readonly repositoryId: number; readonly manifestId: number },
): Promise<readonly RestoredTag[]> {
  const gone = await tx
    .selectFrom('deleted_tags')
    .select('name')
    .where('registry_id', '=', input.registryId)
    .where('repository', '=', input.repository)
    .where('digest', '=', input.digest)
    .execute();
  const names = input.tag === undefined ? gone.map((row) => row.name) : [input.tag];
  const moved: RestoredTag[] = [];
  for (const name of names.toSorted()) {
    const outcome = await restoreTag(tx, input, { repositoryId, manifestId, name });
    if (outcome !== 'unchanged') moved.push({ name, isNew: outcome === 'added' });
  }
  await noteMovedTags(tx, { ...input, tags: moved.map(({ name }) => name), runId: null });
  return moved;
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
