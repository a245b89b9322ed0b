import type { RegistrySettings } from '@berth/api';
import type { ReadQueries } from '../../platform/database/index.ts';

/** Parameters of one statement. */
const perStatement = 500;

/**
 * Identities with a role that reaches a registry, with their credentials and the issuers of those. Roles at a group or the
 * subscription hold for the registry as a whole: elsewhere the group and the subscription are others.
 */
export async function directoryOf(
  read: ReadQueries,
  resourceId: string,
): Promise<Pick<RegistrySettings, 'identities' | 'issuers'>> {
  const registry = resourceId.toLowerCase();
  const assignments = await read
    .selectFrom('role_assignments')
    .selectAll()
    .where((eb) =>
      // What is below begins with the id and a slash; the next character after a slash is 0.
      eb.or([
        eb('scope', 'in', scopesAbove(registry)),
        eb.and([eb('scope', '>=', `${registry}/`), eb('scope', '<', `${registry}0`)]),
      ]),
    )
    .orderBy('id')
    .execute();
  const ids = [...new Set(assignments.map(({ identity_id }) => identity_id))].toSorted();
  const identities: RegistrySettings['identities'] = [];
  for (let start = 0; start < ids.length; start += perStatement) {
    const some = ids.slice(start, start + perStatement);
    const rows = await read.selectFrom('identities').selectAll().where('id', 'in', some).orderBy('id').execute();
    const secrets = await read
      .selectFrom('identity_secrets')
      .selectAll()
      .where('identity_id', 'in', some)
      .orderBy('id')
      .execute();
    const federated = await read
      .selectFrom('federated_credentials')
      .selectAll()
      .where('identity_id', 'in', some)
      .orderBy('id')
      .execute();
    for (const { id, client_id, name, is_enabled, created_at } of rows) {
      const isOf = (row: { readonly identity_id: string }): boolean => row.identity_id === id;
      identities.push({
        id,
        clientId: client_id,
        name,
        isEnabled: is_enabled === 1,
        createdAt: created_at,
        secrets: secrets
          .filter(isOf)
          .map((row) => ({ id: row.id, verifier: row.verifier, createdAt: row.created_at, expiresAt: row.expires_at })),
        credentials: federated.filter(isOf).map((row) => ({
          id: row.id,
          name: row.name,
          issuer: row.issuer,
          audiences: row.audiences,
          claims: row.claims,
          createdAt: row.created_at,
        })),
        roles: assignments.filter(isOf).map((row) => ({
          id: row.id,
          path: row.scope.startsWith(`${registry}/`) ? row.scope.slice(registry.length) : '',
          roleId: row.role_id,
          condition: row.condition,
          createdAt: row.created_at,
        })),
      });
    }
  }
  return { identities, issuers: await issuersOf(read, identities) };
}

/** The registry itself and everything that it is in, shortest first: the subscription, the group, the registry. */
function scopesAbove(registry: string): readonly string[] {
  const parts = registry.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((scope) => scope !== '');
}

async function issuersOf(read: ReadQueries, identities: RegistrySettings['identities']): Promise<RegistrySettings['issuers']> {
  const named = new Set(identities.flatMap(({ credentials }) => credentials.map(({ issuer }) => issuer)));
  if (named.size === 0) return [];
  const rows = await read.selectFrom('trusted_issuers').selectAll().orderBy('issuer').execute();
  return rows
    .filter(({ issuer }) => named.has(issuer))
    .map(({ issuer, jwks, created_at }) => ({ issuer, jwks, createdAt: created_at }));
}
