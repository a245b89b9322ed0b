import { RegistryError } from '../../errors/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/index.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { matchClaims } from './match-claims.ts';
import { findIssuer, findRules } from './queries.ts';
import { verifyToken } from './verify-token.ts';

export interface FederationContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly keys: IssuerKeys;
  readonly onDistrust: () => void;
}

export interface FederatedSignIn {
  /** Each identity once, with the credential that let it in: the sign-in ends when either is gone. */
  readonly identities: readonly { readonly id: string; readonly credential: string }[];
  /** The token's. */
  readonly subject: string;
  /** When the token expires, in milliseconds. */
  readonly expiresAt: number;
}

/**
 * Everybody whom a token of a trusted issuer signs in as; with a client id, that identity alone (RFC 7523).
 * @throws UNAUTHORIZED, UNAVAILABLE
 */
export async function signInFederated(
  { database, clock, keys }: FederationContext,
  token: string,
  { clientId }: { readonly clientId?: string } = {},
): Promise<FederatedSignIn> {
  const verified = await verifyToken({ clock, keys, findIssuer: (issuer) => findIssuer(database.read, issuer) }, token);
  const all = await findRules(database.read, verified.issuer);
  const rules = clientId === undefined ? all : all.filter((rule) => rule.clientId === clientId.toLowerCase());
  if (rules.length === 0)
    throw new RegistryError('UNAUTHORIZED', {
      message: `no enabled identity${clientId === undefined ? '' : ' with this client id'} trusts tokens of ${verified.issuer}; add a rule with "berth identity trust"`,
    });
  const match = matchClaims(rules, verified.claims);
  if (match.rules.length === 0)
    throw new RegistryError('UNAUTHORIZED', { message: `${match.reason}; compare them with "berth identity show"` });
  const credentials = new Map(match.rules.toReversed().map((rule) => [rule.identityId, rule.id]));
  return {
    identities: [...credentials].map(([id, credential]) => ({ id, credential })),
    subject: verified.subject,
    expiresAt: verified.expiresAt,
  };
}
