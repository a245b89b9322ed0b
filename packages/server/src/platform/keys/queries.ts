import type { ReadQueries } from '../database/database.ts';
import type { DataKeyRow, SigningKeyRow } from '../database/tables.ts';

export function allDataKeys(db: ReadQueries): Promise<DataKeyRow[]> {
  return db.selectFrom('data_keys').selectAll().orderBy('created_at').execute();
}

export function allSigningKeys(db: ReadQueries): Promise<SigningKeyRow[]> {
  return db.selectFrom('signing_keys').selectAll().orderBy('created_at').execute();
}
