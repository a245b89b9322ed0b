import { sql } from 'kysely';
import type { WriteQueries } from '../platform/database/index.ts';
import { requireDeletable } from '../repositories/index.ts';

/** @throws REGISTRY_DISALLOWED_OPERATION naming one that is locked */
export async function requireNoLocks(tx: WriteQueries, repositoryId: number, repository: string): Promise<void> {
  const isLocked = sql<boolean>`(delete_enabled = 0 or write_enabled = 0)`;
  const tag = await tx
    .selectFrom('tags')
    .select(['name', 'delete_enabled', 'write_enabled'])
    .where('repository_id', '=', repositoryId)
    .where(isLocked)
    .limit(1)
    .executeTakeFirst();
  if (tag !== undefined) requireDeletable(tag, `the tag ${tag.name} of ${repository}`);
  const manifest = await tx
    .selectFrom('manifests')
    .select(['digest', 'delete_enabled', 'write_enabled'])
    .where('repository_id', '=', repositoryId)
    .where(isLocked)
    .limit(1)
    .executeTakeFirst();
  if (manifest !== undefined) requireDeletable(manifest, `the manifest ${manifest.digest} of ${repository}`);
}
