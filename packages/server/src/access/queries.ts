import { type ReadQueries, prepareRead } from '../platform/database/index.ts';
import type { AdminPasswordRow } from '../platform/database/index.ts';

export interface AdminState {
  readonly username: string;
  readonly is_enabled: number;
  readonly generation: number;
}

const admin = prepareRead<{ registryId: number }, AdminState>((db, { registryId }) =>
  db.selectFrom('admin_users').select(['username', 'is_enabled', 'generation']).where('registry_id', '=', registryId),
);

export function findAdmin(db: ReadQueries, registryId: number): Promise<AdminState | undefined> {
  return admin.first(db, { registryId });
}

export function adminPasswords(db: ReadQueries, registryId: number): Promise<AdminPasswordRow[]> {
  return db.selectFrom('admin_passwords').selectAll().where('registry_id', '=', registryId).execute();
}
