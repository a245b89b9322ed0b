import { sql } from 'kysely';
import type { WriteQueries } from '../platform/database/index.ts';

/** The last statement of a push: until it commits, other pushes of the repository wait here (PostgreSQL). */
export async function countIn(
  tx: WriteQueries,
  repositoryId: number,
  { manifests, tags, now }: { readonly manifests: number; readonly tags: number; readonly now: number },
): Promise<void> {
  await tx
    .updateTable('repositories')
    .set((eb) => ({
      // With its last manifest a repository disappears from the lists (acr-api 6.1); what is being pushed goes on.
      listed_at: sql<number | null>`case when manifest_count + ${manifests} > 0 then coalesce(listed_at, ${now}) end`,
      updated_at: now,
      manifest_count: eb('manifest_count', '+', manifests),
      tag_count: eb('tag_count', '+', tags),
    }))
    .where('id', '=', repositoryId)
    .execute();
}
