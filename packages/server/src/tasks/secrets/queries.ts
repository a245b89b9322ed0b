import type { ReadQueries, SecretRow } from '../../platform/database/index.ts';

export function secretNames(db: ReadQueries, registryId: number): Promise<readonly Pick<SecretRow, 'name' | 'updated_at'>[]> {
  return db.selectFrom('secrets').select(['name', 'updated_at']).where('registry_id', '=', registryId).orderBy('name').execute();
}

export function findSecret(
  db: ReadQueries,
  registryId: number,
  name: string,
): Promise<Pick<SecretRow, 'name' | 'data_key_id' | 'sealed'> | undefined> {
  return db
    .selectFrom('secrets')
    .select(['name', 'data_key_id', 'sealed'])
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .executeTakeFirst();
}
