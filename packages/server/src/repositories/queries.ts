import type { ReadQueries, WriteQueries } from '../platform/database/database.ts';

/** The id of a repository that exists, whether or not it is listed yet. */
export async function findRepositoryId(
  db: ReadQueries | WriteQueries,
  registryId: number,
  name: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('repositories')
    .select('id')
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row?.id;
}

/**
 * The id of a repository, created when missing; not yet listed in the catalog. Until the transaction ends, collection
 * cannot take the row away: what is pushed into a repository that is being deleted goes with it, and never fails half-way.
 */
export async function ensureRepository(tx: WriteQueries, registryId: number, name: string, now: number): Promise<number> {
  for (;;) {
    const existing = await holdRepository(tx, registryId, name);
    if (existing !== undefined) return existing;
    const created = await tx
      .insertInto('repositories')
      .values({ registry_id: registryId, name, created_at: now, listed_at: null, deleted_at: null })
      .onConflict((conflict) => conflict.columns(['registry_id', 'name']).where('deleted_at', 'is', null).doNothing())
      .returning('id')
      .executeTakeFirst();
    // Otherwise another transaction made it first (PostgreSQL); the next look finds that one, or that it was deleted again.
    if (created !== undefined) return created.id;
  }
}

/** `FOR KEY SHARE`, as a foreign key takes it: pushes of one repository do not wait for each other. SQLite leaves it out. */
async function holdRepository(tx: WriteQueries, registryId: number, name: string): Promise<number | undefined> {
  const row = await tx
    .selectFrom('repositories')
    .select('id')
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .forKeyShare()
    .executeTakeFirst();
  return row?.id;
}
