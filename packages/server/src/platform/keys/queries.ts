import type { ReadQueries } from '../database/index.ts';
import type { DataKeyRow, SigningKeyRow } from '../database/tables.ts';

export function allDataKeys(db: ReadQueries): Promise<DataKeyRow[]> {
  return db.selectFrom('data_keys').selectAll().orderBy('created_at').orderBy('id').execute();
}

/** The oldest first: each process must take the same one for the oldest. */
export function allSigningKeys(db: ReadQueries): Promise<SigningKeyRow[]> {
  return db.selectFrom('signing_keys').selectAll().orderBy('created_at').orderBy('id').execute();
}
