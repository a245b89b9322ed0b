import type { AdminPasswordRow, ReadQueries } from '../platform/database/index.ts';

/** One of the two passwords, as it is kept. `created_at` grows with each change, so that it names one password for ever. */
export type AdminPassword = Pick<AdminPasswordRow, 'slot' | 'scheme' | 'verifier' | 'created_at'>;
export type PasswordSlot = AdminPasswordRow['slot'];

export interface Admin {
  readonly username: string;
  readonly isEnabled: boolean;
  readonly generation: number;
  readonly passwords: readonly AdminPassword[];
}

/** The admin user of a registry with its passwords, as of one moment. */
export async function findAdmin(db: ReadQueries, registryId: number): Promise<Admin | undefined> {
  const rows = await db
    .selectFrom('admin_users')
    .leftJoin('admin_passwords', 'admin_passwords.registry_id', 'admin_users.registry_id')
    .select(['username', 'is_enabled', 'generation', 'slot', 'scheme', 'verifier', 'created_at'])
    .where('admin_users.registry_id', '=', registryId)
    .execute();
  const [first] = rows;
  if (first === undefined) return undefined;
  const passwords = rows.flatMap(({ slot, scheme, verifier, created_at }) =>
    slot === null || scheme === null || verifier === null || created_at === null ? [] : [{ slot, scheme, verifier, created_at }],
  );
  return { username: first.username, isEnabled: first.is_enabled === 1, generation: first.generation, passwords };
}

/** The passwords of an admin user as they can be shown, by slot. */
export function sealedPasswords(
  db: ReadQueries,
  registryId: number,
): Promise<Pick<AdminPasswordRow, 'slot' | 'sealed_value' | 'data_key_id'>[]> {
  return db
    .selectFrom('admin_passwords')
    .select(['slot', 'sealed_value', 'data_key_id'])
    .where('registry_id', '=', registryId)
    .orderBy('slot')
    .execute();
}
