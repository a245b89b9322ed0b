import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/index.ts';
import { type FetchJson, IssuerKeys } from './issuer-keys.ts';
import { type FederatedSignIn, signInFederated } from './sign-in-federated.ts';

export type { FetchJson } from './issuer-keys.ts';
export type { FederatedSignIn } from './sign-in-federated.ts';

export interface Federation {
  /** Everybody whom a token of a trusted issuer signs in as. @throws UNAUTHORIZED, UNAVAILABLE */
  signIn(token: string, options?: { readonly clientId?: string }): Promise<FederatedSignIn>;
  /** What is known of an issuer's keys: its trust has been changed. */
  forgetIssuer(issuer: string): void;
}

/** Sign-in with tokens of issuers outside: CI systems, clusters, Entra. */
export function createFederation({
  database,
  clock,
  fetchJson,
}: {
  readonly database: Database;
  readonly clock: Clock;
  readonly fetchJson: FetchJson;
}): Federation {
  const keys = new IssuerKeys({ fetchJson, clock });
  return {
    signIn: (token, options) => signInFederated({ database, clock, keys }, token, options),
    forgetIssuer: (issuer) => keys.forget(issuer),
  };
}
