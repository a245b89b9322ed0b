import type {
  FederatedCredentialRow,
  IdentityRow,
  IdentitySecretRow,
  ReadQueries,
  RoleAssignmentRow,
  TokenPasswordRow,
} from '../platform/database/index.ts';

import { systemScopeMaps } from './scope-maps/system-scope-maps.ts';

/** A repository-scoped token with what its scope map allows. */
export interface ScopedToken {
  readonly resourceId: number;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly passwords: readonly Omit<TokenPasswordRow, 'resource_id'>[];
  /** Undefined when the scope map is gone: then it may nothing. */
  readonly actions: readonly string[];
}

/** A role assignment as it is kept. */
export type StoredAssignment = Pick<RoleAssignmentRow, 'scope' | 'role_id' | 'condition'>;

/** A service principal with its credentials and roles. */
export interface Identity {
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly secrets: readonly Omit<IdentitySecretRow, 'identity_id'>[];
  readonly federated: readonly Pick<FederatedCredentialRow, 'id'>[];
  readonly assignments: readonly StoredAssignment[];
}

interface TokenProperties {
  readonly status?: string;
  readonly scopeMapId?: string;
}

export async function findScopedToken(db: ReadQueries, registryId: number, name: string): Promise<ScopedToken | undefined> {
  const token = await findResource(db, registryId, 'tokens', name);
  if (token === undefined) return undefined;
  const properties = JSON.parse(token.properties) as TokenProperties;
  const passwords = await passwordsOf(db, token.id);
  const actions = await actionsOf(db, registryId, properties.scopeMapId?.split('/').at(-1) ?? '');
  return { resourceId: token.id, name: token.name, isEnabled: properties.status !== 'disabled', passwords, actions };
}

/** The passwords of a token, by slot. */
export async function tokenPasswordsOf(
  db: ReadQueries,
  registryId: number,
  name: string,
): Promise<readonly Omit<TokenPasswordRow, 'resource_id'>[]> {
  const token = await findResource(db, registryId, 'tokens', name);
  return token === undefined ? [] : passwordsOf(db, token.id);
}

function passwordsOf(db: ReadQueries, resourceId: number): Promise<Omit<TokenPasswordRow, 'resource_id'>[]> {
  return db
    .selectFrom('token_passwords')
    .select(['slot', 'verifier', 'created_at', 'expires_at'])
    .where('resource_id', '=', resourceId)
    .orderBy('slot')
    .execute();
}

/** What a scope map allows: nothing when it is gone. */
async function actionsOf(db: ReadQueries, registryId: number, name: string): Promise<readonly string[]> {
  const system = systemScopeMaps.find((map) => map.name === name.toLowerCase());
  if (system !== undefined) return system.actions;
  const map = await findResource(db, registryId, 'scopeMaps', name);
  return map === undefined ? [] : ((JSON.parse(map.properties) as { readonly actions?: readonly string[] }).actions ?? []);
}

function findResource(
  db: ReadQueries,
  registryId: number,
  kind: string,
  name: string,
): Promise<{ readonly id: number; readonly name: string; readonly properties: string } | undefined> {
  return db
    .selectFrom('resources')
    .select(['id', 'name', 'properties'])
    .where('registry_id', '=', registryId)
    .where('kind', '=', kind)
    .where('name_key', '=', name.toLowerCase())
    .executeTakeFirst();
}

export async function findIdentity(
  db: ReadQueries,
  by: { readonly id: string } | { readonly clientId: string },
): Promise<Identity | undefined> {
  const identities = db.selectFrom('identities').selectAll();
  const row: IdentityRow | undefined = await ('id' in by
    ? identities.where('id', '=', by.id)
    : identities.where('client_id', '=', by.clientId)
  ).executeTakeFirst();
  if (row === undefined) return undefined;
  const secrets = await db
    .selectFrom('identity_secrets')
    .select(['id', 'verifier', 'created_at', 'expires_at'])
    .where('identity_id', '=', row.id)
    .execute();
  // Of issuers that are still trusted: what was signed in by the others ends (attack 22).
  const federated = await db
    .selectFrom('federated_credentials')
    .innerJoin('trusted_issuers', 'trusted_issuers.issuer', 'federated_credentials.issuer')
    .select('federated_credentials.id as id')
    .where('identity_id', '=', row.id)
    .execute();
  const assignments = await db
    .selectFrom('role_assignments')
    .select(['scope', 'role_id', 'condition'])
    .where('identity_id', '=', row.id)
    .execute();
  return {
    id: row.id,
    clientId: row.client_id,
    name: row.name,
    isEnabled: row.is_enabled === 1,
    secrets,
    federated,
    assignments,
  };
}
