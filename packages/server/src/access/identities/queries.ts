import type {
  FederatedCredentialRow,
  IdentityRow,
  IdentitySecretRow,
  ReadQueries,
  RoleAssignmentRow,
} from '../../platform/database/index.ts';
import { isGuid } from './model.ts';

/** By name, client id or object id: names never look like ids. */
export function findByAnyName(db: ReadQueries, text: string): Promise<IdentityRow | undefined> {
  const identities = db.selectFrom('identities').selectAll();
  if (!isGuid(text)) return identities.where('name', '=', text).executeTakeFirst();
  const id = text.toLowerCase();
  return identities.where((row) => row.or([row('id', '=', id), row('client_id', '=', id)])).executeTakeFirst();
}

export function identitiesAfter(
  db: ReadQueries,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<IdentityRow[]> {
  return db.selectFrom('identities').selectAll().where('name', '>', after).orderBy('name').limit(limit).execute();
}

export function secretsOf(
  db: ReadQueries,
  identityId: string,
): Promise<Pick<IdentitySecretRow, 'id' | 'created_at' | 'expires_at'>[]> {
  return db
    .selectFrom('identity_secrets')
    .select(['id', 'created_at', 'expires_at'])
    .where('identity_id', '=', identityId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

export function credentialsOf(db: ReadQueries, identityId: string): Promise<FederatedCredentialRow[]> {
  return db.selectFrom('federated_credentials').selectAll().where('identity_id', '=', identityId).orderBy('name').execute();
}

export function assignmentsOf(db: ReadQueries, identityId: string): Promise<RoleAssignmentRow[]> {
  return db
    .selectFrom('role_assignments')
    .selectAll()
    .where('identity_id', '=', identityId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

export async function findSubscription(db: ReadQueries): Promise<string> {
  const row = await db.selectFrom('deployment').select('subscription_id').where('id', '=', 1).executeTakeFirstOrThrow();
  return row.subscription_id;
}

/** Where a registry stands in the resource manager's tree. */
export async function findRegistryPlace(
  db: ReadQueries,
  name: string,
): Promise<{ readonly name: string; readonly resourceGroup: string } | undefined> {
  return db
    .selectFrom('registries')
    .select(['name', 'resource_group as resourceGroup'])
    .where('name', '=', name.toLowerCase())
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}
