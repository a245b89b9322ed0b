import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** What a registry stores counts its manifests, too: those that can be pulled, and those that can be restored. */
export const manifestBytes: Migration = {
  name: '0010-manifest-bytes',
  up: async (db) => {
    await sql`insert into stored_deltas (registry_id, bytes, blobs)
      select repositories.registry_id, sum(manifests.size_bytes), 0
        from manifests join repositories on repositories.id = manifests.repository_id
        group by repositories.registry_id`.execute(db);
    await sql`insert into stored_deltas (registry_id, bytes, blobs)
      select registry_id, sum(size_bytes), 0 from deleted_manifests group by registry_id`.execute(db);
  },
};
