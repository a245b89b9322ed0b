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

/** The id of a repository, created when missing; not yet listed in the catalog. */
export async function ensureRepository(tx: WriteQueries, registryId: number, name: string, now: number): Promise<number> {
  const existing = await findRepositoryId(tx, registryId, name);
  if (existing !== undefined) return existing;
  await tx
    .insertInto('repositories')
    .values({ registry_id: registryId, name, created_at: now, listed_at: null, deleted_at: null })
    .onConflict((conflict) => conflict.columns(['registry_id', 'name']).where('deleted_at', 'is', null).doNothing())
    .execute();
  const created = await findRepositoryId(tx, registryId, name);
  if (created === undefined) throw new Error('a repository vanished between its creation and its first read');
  return created;
}
