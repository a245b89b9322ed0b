import type { ReadQueries, RegistryRow } from '../platform/database/index.ts';

export function findRegistry(
  db: ReadQueries,
  name: string,
): Promise<(Pick<RegistryRow, 'anonymous_pull'> & { readonly id: number }) | undefined> {
  return db.selectFrom('registries').select(['id', 'anonymous_pull']).where('name', '=', name).executeTakeFirst();
}
