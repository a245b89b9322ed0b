import { type WriteQueries, lockRows } from '../platform/database/index.ts';

/** Notes when manifests were left by their last tag: retention is about that time. Those that have another tag stay as they are. */
export async function markUntagged(tx: WriteQueries, manifestIds: readonly number[], now: number): Promise<void> {
  if (manifestIds.length === 0) return;
  // Locked before the look: of two transactions that each take one of the last two tags the second one sees that none is left.
  await lockRows(tx.selectFrom('manifests').select('id').where('id', 'in', manifestIds).orderBy('id')).execute();
  await tx
    .updateTable('manifests')
    .set({ untagged_at: now })
    .where('id', 'in', manifestIds)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('tags').select('tags.name').whereRef('tags.manifest_id', '=', 'manifests.id'))),
    )
    .execute();
}

/**
 * A manifest that is there was pushed again: whoever did so is about to use it, so that it must not go as if it were old.
 * One that never had a tag still counts as such.
 */
export async function renewManifest(
  tx: WriteQueries,
  manifestId: number,
  { isTagged, now }: { readonly isTagged: boolean; readonly now: number },
): Promise<void> {
  await tx
    .updateTable('manifests')
    .set((eb) => ({
      updated_at: now,
      untagged_at: isTagged ? null : eb.case().when('untagged_at', 'is not', null).then(now).else(null).end(),
    }))
    .where('id', '=', manifestId)
    .execute();
}

export interface LockedTag {
  readonly updated_at: number;
  readonly delete_enabled: number;
  readonly write_enabled: number;
}

/** Its manifest first, as a push does: otherwise the two could wait for each other (PostgreSQL). */
export async function lockTag(tx: WriteQueries, repositoryId: number, name: string): Promise<LockedTag | undefined> {
  const tag = tx.selectFrom('tags').where('repository_id', '=', repositoryId).where('name', '=', name);
  await lockRows(tx.selectFrom('manifests').select('id').where('id', 'in', tag.select('manifest_id'))).execute();
  return lockRows(tag.select(['updated_at', 'delete_enabled', 'write_enabled'])).executeTakeFirst();
}
