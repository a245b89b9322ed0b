import type { ReadQueries, ResourceGroupRow, WriteQueries } from '../platform/database/index.ts';

export interface ResourceGroup {
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
}

export async function findGroup(db: ReadQueries | WriteQueries, name: string): Promise<ResourceGroup | undefined> {
  const row = await db.selectFrom('resource_groups').selectAll().where('name_key', '=', name.toLowerCase()).executeTakeFirst();
  return row && groupOf(row);
}

export async function allGroups(db: ReadQueries): Promise<readonly ResourceGroup[]> {
  const rows = await db.selectFrom('resource_groups').selectAll().orderBy('name_key').execute();
  return rows.map(groupOf);
}

function groupOf({ name, location, tags }: ResourceGroupRow): ResourceGroup {
  return { name, location, tags: JSON.parse(tags) as ResourceGroup['tags'] };
}
