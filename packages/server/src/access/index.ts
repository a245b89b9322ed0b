import type { Need } from '@berth/api';
import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { AccessContext } from './access-context.ts';
import { Authenticator } from './authenticate.ts';
import { type ChallengeError, challenge } from './challenge.ts';
import { type FirstAdminOptions, ensureAdmin } from './first-admin.ts';
import { GeneratedPasswords } from './generated-passwords.ts';
import { accessRoutes } from './routes.ts';
import { SignIn } from './sign-in.ts';
import { anonymousManager } from './principals.ts';
import { ensureSigningKeys } from './signing-keys.ts';
import { TokenSigner } from './token-signer.ts';

export interface Access {
  readonly routes: readonly Route[];
  /** Who sends a request, without waiting for whoever was seen before. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  authenticate(
    headers: Readonly<Record<string, string | undefined>>,
    clientAddress: string,
    registry: Registry,
  ): Principal | Promise<Principal>;
  /** Who calls the resource manager. @throws UNAUTHORIZED */
  authenticateManagement(headers: Readonly<Record<string, string | undefined>>, origin: string): Principal | Promise<Principal>;
  /** The text of `WWW-Authenticate`. */
  challenge(registry: Registry, origin: string, needs: readonly Need[], error?: ChallengeError): string;
  /** Makes the admin user complete, and sees that its owner knows a generated password. */
  ensureAdmin(registry: Registry, options: FirstAdminOptions): Promise<void>;
  /** Wrong passwords since the start. */
  signInFailures(): number;
}

/** Passwords, tokens and the answer to "who are you, and may you". */
export async function createAccess(options: {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
}): Promise<Access> {
  const { database, keys, clock } = options;
  const signingKeys = await ensureSigningKeys(keys);
  const generated = new GeneratedPasswords(signingKeys);
  const signIn = new SignIn({ database, clock, generated });
  const signer = new TokenSigner(signingKeys, clock);
  const context: AccessContext = { database, keys, clock, signIn, signer, generated };
  const authenticator = new Authenticator({ signIn, signer, clock });
  return {
    routes: accessRoutes(context),
    authenticate: (headers, clientAddress, registry) =>
      authenticator.authenticate(headers['authorization'], clientAddress, registry),
    authenticateManagement: () => anonymousManager,
    challenge,
    ensureAdmin: (registry, how) => ensureAdmin(context, registry, how),
    signInFailures: () => signIn.failures,
  };
}
