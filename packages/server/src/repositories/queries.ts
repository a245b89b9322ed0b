import type { ReadQueries, WriteQueries } from '../platform/database/database.ts';
import { type AttributeFlags, attributeColumns, requireDeletable, requireWritable } from './attributes.ts';

interface FoundRepository extends AttributeFlags {
  readonly id: number;
}

/** A repository that exists, whether or not it is listed yet. */
export function findRepository(
  db: ReadQueries | WriteQueries,
  registryId: number,
  name: string,
): Promise<FoundRepository | undefined> {
  return db
    .selectFrom('repositories')
    .select(['id', ...attributeColumns])
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

export async function findRepositoryId(
  db: ReadQueries | WriteQueries,
  registryId: number,
  name: string,
): Promise<number | undefined> {
  return (await findRepository(db, registryId, name))?.id;
}

/**
 * The id of a repository from which something is to be deleted. Held as for a push: who works on all of a repository (what other
 * regions told of it) comes before or after. @throws REGISTRY_DISALLOWED_OPERATION
 */
export async function findDeletable(tx: WriteQueries, registryId: number, name: string): Promise<number | undefined> {
  const found = await tx
    .selectFrom('repositories')
    .select(['id', ...attributeColumns])
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .forKeyShare()
    .executeTakeFirst();
  if (found !== undefined) requireDeletable(found, `the repository ${name}`);
  return found?.id;
}

/**
 * The id of a repository that something is pushed to, created when missing; not yet listed in the catalog. Until the
 * transaction ends, collection cannot take the row away: what is pushed into a repository that is being deleted goes with
 * it, and never fails half-way. @throws REGISTRY_DISALLOWED_OPERATION
 */
export async function ensureRepository(tx: WriteQueries, registryId: number, name: string, now: number): Promise<number> {
  const found = await ensureAnyRepository(tx, registryId, name, now);
  requireWritable(found, `the repository ${name}`);
  return found.id;
}

/** The same whatever its locks say: for what another region took already. */
export async function ensureAnyRepository(
  tx: WriteQueries,
  registryId: number,
  name: string,
  now: number,
): Promise<{ readonly id: number; readonly write_enabled: number }> {
  for (;;) {
    const existing = await holdRepository(tx, registryId, name);
    if (existing !== undefined) return existing;
    const created = await tx
      .insertInto('repositories')
      .values({ registry_id: registryId, name, created_at: now, updated_at: now, listed_at: null, deleted_at: null })
      .onConflict((conflict) => conflict.columns(['registry_id', 'name']).where('deleted_at', 'is', null).doNothing())
      .returning(['id', 'write_enabled'])
      .executeTakeFirst();
    // Otherwise another transaction made it first (PostgreSQL); the next look finds that one, or that it was deleted again.
    if (created !== undefined) return created;
  }
}

/** `FOR KEY SHARE`, as a foreign key takes it: pushes of one repository do not wait for each other. SQLite leaves it out. */
function holdRepository(
  tx: WriteQueries,
  registryId: number,
  name: string,
): Promise<{ readonly id: number; readonly write_enabled: number } | undefined> {
  return tx
    .selectFrom('repositories')
    .select(['id', 'write_enabled'])
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .forKeyShare()
    .executeTakeFirst();
}
