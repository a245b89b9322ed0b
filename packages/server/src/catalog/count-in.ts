import { sql } from 'kysely';
import type { WriteQueries } from '../platform/database/index.ts';

export interface Counted {
  readonly manifests: number;
  /** The repository was deleted since the transaction found it (PostgreSQL): what was done in it goes with it. */
  readonly isGone: boolean;
}

/**
 * The last but the log: until the transaction commits, other writers of the repository wait here (PostgreSQL). So the stamps of
 * the log are in the order in which things were done. Returns what the repository has then.
 */
export async function countIn(
  tx: WriteQueries,
  repositoryId: number,
  { manifests, tags, now }: { readonly manifests: number; readonly tags: number; readonly now: number },
): Promise<Counted> {
  const { manifest_count, deleted_at } = await tx
    .updateTable('repositories')
    .set((eb) => ({
      // With its last manifest a repository disappears from the lists (acr-api 6.1); what is being pushed goes on.
      listed_at: sql<number | null>`case when manifest_count + ${manifests} > 0 then coalesce(listed_at, ${now}) end`,
      updated_at: now,
      manifest_count: eb('manifest_count', '+', manifests),
      tag_count: eb('tag_count', '+', tags),
    }))
    .where('id', '=', repositoryId)
    .returning(['manifest_count', 'deleted_at'])
    .executeTakeFirstOrThrow();
  return { manifests: manifest_count, isGone: deleted_at !== null };
}
