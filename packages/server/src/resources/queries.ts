import type { ReadQueries, ResourceRow, WriteQueries } from '../platform/database/index.ts';
import type { Child } from './kind.ts';

export interface StoredChild extends Child {
  readonly id: number;
  readonly version: number;
}

export async function findChild(
  db: ReadQueries | WriteQueries,
  { registryId, kind, name }: { readonly registryId: number; readonly kind: string; readonly name: string },
): Promise<StoredChild | undefined> {
  const row = await db
    .selectFrom('resources')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('kind', '=', kind)
    .where('name_key', '=', name.toLowerCase())
    .executeTakeFirst();
  return row && childOf(row);
}

/** By name, after a name in lower case. */
export async function childrenAfter(
  db: ReadQueries,
  page: { readonly registryId: number; readonly kind: string; readonly after: string; readonly limit: number },
): Promise<readonly StoredChild[]> {
  const rows = await db
    .selectFrom('resources')
    .selectAll()
    .where('registry_id', '=', page.registryId)
    .where('kind', '=', page.kind)
    .where('name_key', '>', page.after)
    .orderBy('name_key')
    .limit(page.limit)
    .execute();
  return rows.map(childOf);
}

/** How many children a registry has, by kind. */
export async function countChildren(db: ReadQueries | WriteQueries, registryId: number): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('resources')
    .select(['kind', (eb) => eb.fn.countAll<number>().as('count')])
    .where('registry_id', '=', registryId)
    .groupBy('kind')
    .execute();
  return new Map(rows.map(({ kind, count }) => [kind, count]));
}

type Selected = Omit<ResourceRow, 'id'> & { readonly id: number };

/** Texts of the database are ours, and JSON. */
function childOf(row: Selected): StoredChild {
  return {
    id: row.id,
    version: row.version,
    name: row.name,
    location: row.location,
    tags: JSON.parse(row.tags) as Child['tags'],
    properties: JSON.parse(row.properties) as unknown,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
  };
}
