import assert from 'node:assert/strict';
import { storedIn } from '../platform/stored-bytes/index.ts';
import type { TestCatalog } from './test-catalog.ts';

/** The size that is kept is what a recount of blobs, manifests and the bin finds. */
export async function assertSizeIsExact({ database, registry }: TestCatalog): Promise<void> {
  const blobs = await database.read.selectFrom('blobs').select('size_bytes').where('registry_id', '=', registry.id).execute();
  const live = database.read
    .selectFrom('manifests')
    .innerJoin('repositories', 'repositories.id', 'manifests.repository_id')
    .where('repositories.registry_id', '=', registry.id)
    .select('manifests.size_bytes');
  const kept = database.read.selectFrom('deleted_manifests').where('registry_id', '=', registry.id).select('size_bytes');
  const manifests = await live.unionAll(kept).execute();
  const bytes = [...blobs, ...manifests].reduce((sum, row) => sum + row.size_bytes, 0);
  assert.deepEqual(await storedIn(database.read, registry.id), { bytes, blobs: blobs.length });
}
