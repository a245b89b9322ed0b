import type { ReadQueries, TrustedIssuerRow } from '../../platform/database/index.ts';
import type { CredentialRule } from './match-claims.ts';

export function findIssuer(db: ReadQueries, issuer: string): Promise<TrustedIssuerRow | undefined> {
  // PostgreSQL takes no text with a NUL.
  if (issuer.includes('\0')) return Promise.resolve(undefined);
  return db.selectFrom('trusted_issuers').selectAll().where('issuer', '=', issuer).executeTakeFirst();
}

/** Their number is bounded where they are made. */
export function allIssuers(db: ReadQueries): Promise<TrustedIssuerRow[]> {
  return db.selectFrom('trusted_issuers').selectAll().orderBy('issuer').execute();
}

/** The federated credentials of enabled identities for an issuer; their number is bounded where they are made. */
export async function findRules(db: ReadQueries, issuer: string): Promise<readonly CredentialRule[]> {
  const rows = await db
    .selectFrom('federated_credentials')
    .innerJoin('identities', 'identities.id', 'federated_credentials.identity_id')
    .select([
      'federated_credentials.id as id',
      'federated_credentials.name as name',
      'identities.id as identityId',
      'identities.name as identityName',
      'identities.client_id as clientId',
      'audiences',
      'claims',
    ])
    .where('issuer', '=', issuer)
    .where('is_enabled', '=', 1)
    .orderBy('federated_credentials.id')
    .execute();
  return rows.map(({ audiences, claims, ...rest }) => ({
    ...rest,
    audiences: JSON.parse(audiences) as string[],
    claims: JSON.parse(claims) as Record<string, string>,
  }));
}
