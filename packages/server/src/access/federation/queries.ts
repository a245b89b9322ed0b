import type { ReadQueries } from '../../platform/database/index.ts';
import type { CredentialRule } from './match-claims.ts';
import type { TrustedIssuer } from './verify-token.ts';

export function findIssuer(db: ReadQueries, issuer: string): Promise<TrustedIssuer | undefined> {
  return db.selectFrom('trusted_issuers').select(['issuer', 'jwks']).where('issuer', '=', issuer).executeTakeFirst();
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
