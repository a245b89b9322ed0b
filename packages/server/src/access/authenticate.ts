import { hash } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { parseBasic } from './basic-credentials.ts';
import { adminPrincipal, anonymousPrincipal, bearerPrincipal } from './principals.ts';
import type { Admin } from './queries.ts';
import { Recent } from '../platform/recent.ts';
import type { SignIn } from './sign-in.ts';
import { type SignedIn, isCurrent } from './signed-in.ts';
import { type TokenSigner, refused } from './token-signer.ts';

const maxTokens = 20_000;
/** Characters of all tokens that are known, as a measure of what their rights take in memory. */
const maxTokenCharacters = 16 * 2 ** 20;

interface VerifiedToken {
  readonly expiresAt: number;
  readonly owner: SignedIn | undefined;
  /** The registry as it was: one whose settings changed is another object, and its tokens are judged anew. */
  readonly registry: Registry;
  readonly principal: Principal;
}

/** Tells who sends a request. Tokens that were verified once are known until they expire or their owner changes. */
export class Authenticator {
  readonly #signIn: SignIn;
  readonly #signer: TokenSigner;
  readonly #clock: Clock;
  /** By hash: what lies around in memory is no token. */
  readonly #tokens = new Recent<VerifiedToken>({ maxEntries: maxTokens, maxWeight: maxTokenCharacters });

  constructor(options: { readonly signIn: SignIn; readonly signer: TokenSigner; readonly clock: Clock }) {
    this.#signIn = options.signIn;
    this.#signer = options.signer;
    this.#clock = options.clock;
  }

  /** Without waiting for whoever was seen before. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  authenticate(authorization: string | undefined, clientAddress: string, registry: Registry): Principal | Promise<Principal> {
    if (authorization === undefined) return anonymousPrincipal(registry);
    if (/^bearer /i.test(authorization)) return this.#bearer(authorization.slice(7).trim(), registry);
    const credentials = parseBasic(authorization);
    if (credentials === undefined)
      throw new RegistryError('UNAUTHORIZED', { message: 'the Authorization header is neither Basic nor Bearer' });
    const known = this.#signIn.remembered(registry, credentials);
    if (known !== undefined) return adminPrincipal(known.username);
    return this.#signIn.check(registry, credentials, clientAddress).then(({ username }) => adminPrincipal(username));
  }

  #bearer(text: string, registry: Registry): Principal | Promise<Principal> {
    const token = this.#verified(text, registry);
    const { owner, principal } = token;
    if (owner === undefined) return principal;
    const admin = this.#signIn.admin(registry);
    if (!(admin instanceof Promise)) return ofCurrentOwner(principal, owner, admin);
    return admin.then((read) => ofCurrentOwner(principal, owner, read));
  }

  #verified(text: string, registry: Registry): VerifiedToken {
    const key = hash('sha256', text, 'base64');
    const known = this.#tokens.get(key);
    if (known !== undefined && known.registry === registry && this.#clock.now() < known.expiresAt) return known;
    const { exp, owner, access = [] } = this.#signer.verify(text, registry, 'access_token');
    const whole = owner === undefined ? anonymousPrincipal(registry) : adminPrincipal(owner.username);
    const token: VerifiedToken = { expiresAt: exp * 1000, owner, registry, principal: bearerPrincipal(whole, access) };
    this.#tokens.set(key, token, text.length);
    return token;
  }
}

function ofCurrentOwner(principal: Principal, owner: SignedIn, admin: Admin | undefined): Principal {
  requireOwner(owner, admin);
  return principal;
}

/** A token lives only as long as the password that it was issued for (attacks 19, 22). @throws UNAUTHORIZED */
export function requireOwner(owner: SignedIn, admin: Admin | undefined): void {
  if (!isCurrent(owner, admin)) throw refused('the password that it was issued for has changed');
}
