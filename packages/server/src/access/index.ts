import type { Need } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { Authenticator } from './authenticate.ts';
import { challenge } from './challenge.ts';
import { type FirstCredentials, ensureAdmin } from './first-admin.ts';
import { passwordKeyFrom } from './passwords.ts';
import { accessRoutes } from './routes.ts';
import { SignIn } from './sign-in.ts';
import { ensureSigningKeys } from './signing-keys.ts';
import { TokenSigner } from './token-signer.ts';

export { accessTransactions } from './transactions.ts';

export interface Access {
  readonly routes: readonly Route[];
  /** Who sends a request, without waiting for whoever was seen before. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  authenticate(headers: Readonly<Record<string, string | undefined>>, clientAddress: string, registry: Registry): Principal | Promise<Principal>;
  /** The text of `WWW-Authenticate`. */
  challenge(registry: Registry, origin: string, needs: readonly Need[], error?: 'insufficient_scope' | 'invalid_token'): string;
  /** Makes the admin user complete. A password that is generated is announced once, before it counts. */
  ensureAdmin(registry: Registry, options: { readonly chosenPassword: string | undefined; readonly announce: (first: FirstCredentials) => Promise<void> }): Promise<void>;
  /** Wrong passwords since the start. */
  signInFailures(): number;
}

/** Passwords, tokens and the answer to "who are you, and may you". */
export async function createAccess(options: { readonly database: Database; readonly keys: ManagedKeyRing; readonly clock: Clock }): Promise<Access> {
  const { database, keys, clock } = options;
  const signingKeys = await ensureSigningKeys(keys);
  const oldest = signingKeys[0];
  if (oldest === undefined) throw new Error('there is no signing key');
  const passwordKey = passwordKeyFrom(oldest.privateKey);
  const signIn = new SignIn({ database, clock, passwordKey });
  const signer = new TokenSigner(signingKeys, clock);
  const context: AccessContext = { database, keys, clock, signIn, signer, passwordKey };
  const authenticator = new Authenticator({ signIn, signer: () => signer, clock });
  return {
    routes: accessRoutes(context),
    authenticate: (headers, clientAddress, registry) => authenticator.authenticate(headers['authorization'], clientAddress, registry),
    challenge,
    ensureAdmin: (registry, how) => ensureAdmin(context, registry, how),
    signInFailures: () => signIn.failures,
  };
}
