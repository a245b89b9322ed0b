import type { Route } from '../../http/route.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database/index.ts';
import { type FetchJson, IssuerKeys } from './issuer-keys.ts';
import { issuerRoutes } from './routes.ts';
import { type FederatedSignIn, signInFederated } from './sign-in-federated.ts';

export type { FetchJson } from './issuer-keys.ts';

export interface Federation {
  /** Everybody whom a token of a trusted issuer signs in as. @throws UNAUTHORIZED, UNAVAILABLE */
  signIn(token: string, options?: { readonly clientId?: string }): Promise<FederatedSignIn>;
  /** Managing the issuers. */
  readonly routes: readonly Route[];
}

/** Sign-in with tokens of issuers outside: CI systems, clusters, Entra. */
export function createFederation({
  database,
  clock,
  fetchJson,
  onDistrust,
}: {
  readonly database: Database;
  readonly clock: Clock;
  readonly fetchJson: FetchJson;
  /** An issuer is trusted no more: what was signed in with its tokens must end. */
  readonly onDistrust: () => void;
}): Federation {
  const context = { database, clock, keys: new IssuerKeys({ fetchJson, clock }), onDistrust };
  return { signIn: (token, options) => signInFederated(context, token, options), routes: issuerRoutes(context) };
}
