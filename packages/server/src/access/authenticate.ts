import { hash } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import { Recent } from '../platform/recent.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { Accounts } from './accounts.ts';
import { parseBasic } from './basic-credentials.ts';
import { anonymousPrincipal, bearerPrincipal } from './principals.ts';
import { type RegionSignIn, regionUser } from './regions/region-sign-in.ts';
import type { Access } from './scope.ts';
import type { Credentials, SignIn } from './sign-in.ts';
import type { SignedIn } from './signed-in.ts';
import { tokenUser } from './token-owner.ts';
import { type TokenSigner, refused } from './token-signer.ts';

const maxTokens = 20_000;
/** Characters of all tokens that are known, as a measure of what their rights take in memory. */
const maxTokenCharacters = 16 * 2 ** 20;

interface VerifiedToken {
  readonly expiresAt: number;
  readonly owner: SignedIn | undefined;
  readonly registryId: number;
  readonly access: readonly Access[];
  /** Made for this owner; another one is judged anew. */
  made: { readonly owner: Principal; readonly bearer: Principal } | undefined;
}

export interface AuthenticatorOptions {
  readonly signIn: SignIn;
  readonly regions: RegionSignIn;
  readonly accounts: Accounts;
  readonly signer: TokenSigner;
  readonly clock: Clock;
  /** Whom a token in the place of a password stands for. @throws UNAUTHORIZED */
  readonly ownerOfToken: (registry: Registry, token: string) => Promise<SignedIn>;
}

/** Tells who sends a request. Tokens that were verified once are known until they expire or their owner changes. */
export class Authenticator {
  readonly #signIn: SignIn;
  readonly #regions: RegionSignIn;
  readonly #accounts: Accounts;
  readonly #signer: TokenSigner;
  readonly #ownerOfToken: AuthenticatorOptions['ownerOfToken'];
  readonly #clock: Clock;
  /** By hash: what lies around in memory is no token. */
  #tokens = new Recent<VerifiedToken>({ maxEntries: maxTokens, maxWeight: maxTokenCharacters });

  constructor({ signIn, regions, accounts, signer, clock, ownerOfToken }: AuthenticatorOptions) {
    this.#ownerOfToken = ownerOfToken;
    this.#signIn = signIn;
    this.#regions = regions;
    this.#accounts = accounts;
    this.#signer = signer;
    this.#clock = clock;
  }

  /** Whose tokens are taken has changed: they are verified anew. */
  forget(): void {
    this.#tokens = new Recent({ maxEntries: maxTokens, maxWeight: maxTokenCharacters });
  }

  /** Without waiting for whoever was seen before. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  authenticate(authorization: string | undefined, clientAddress: string, registry: Registry): Principal | Promise<Principal> {
    if (authorization === undefined) return anonymousPrincipal(registry);
    if (/^bearer /i.test(authorization)) return this.#bearer(authorization.slice(7).trim(), registry);
    const credentials = parseBasic(authorization);
    if (credentials === undefined)
      throw new RegistryError('UNAUTHORIZED', { message: 'the Authorization header is neither Basic nor Bearer' });
    if (credentials.username === regionUser) return this.#regions.principalOf(credentials.password);
    return this.#signIn.remembered(registry, credentials) ?? this.#checked(registry, credentials, clientAddress);
  }

  async #checked(registry: Registry, credentials: Credentials, clientAddress: string): Promise<Principal> {
    const owner =
      credentials.username === tokenUser
        ? await this.#ownerOfToken(registry, credentials.password)
        : await this.#signIn.check(registry, credentials, clientAddress);
    return requireStanding(await this.#accounts.principalOf(registry, owner));
  }

  #bearer(text: string, registry: Registry): Principal | Promise<Principal> {
    const token = this.#verified(text, registry);
    if (token.owner === undefined) return bearerPrincipal(anonymousPrincipal(registry), token.access);
    const owner = this.#accounts.principalOf(registry, token.owner);
    return owner instanceof Promise ? owner.then((read) => bearerOf(token, read)) : bearerOf(token, owner);
  }

  #verified(text: string, registry: Registry): VerifiedToken {
    const key = hash('sha256', text, 'base64');
    const known = this.#tokens.get(key);
    if (known !== undefined && known.registryId === registry.id && this.#clock.now() < known.expiresAt) return known;
    const { exp, owner, access = [] } = this.#signer.verify(text, registry, 'access_token');
    const token: VerifiedToken = { expiresAt: exp * 1000, owner, registryId: registry.id, access, made: undefined };
    this.#tokens.set(key, token, text.length);
    return token;
  }
}

function bearerOf(token: VerifiedToken, owner: Principal | undefined): Principal {
  const standing = requireStanding(owner);
  if (token.made?.owner === standing) return token.made.bearer;
  const bearer = bearerPrincipal(standing, token.access);
  token.made = { owner: standing, bearer };
  return bearer;
}

/** A token lives only as long as the credential that it was issued for (attacks 19, 22). @throws UNAUTHORIZED */
export function requireStanding(principal: Principal | undefined): Principal {
  if (principal === undefined) throw refused('the password that it was issued for has changed');
  return principal;
}
