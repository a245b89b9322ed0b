import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { adminPrincipal, anonymousPrincipal, bearerPrincipal } from './principals.ts';
import type { AdminState } from './queries.ts';
import { Recent } from './recent.ts';
import type { Credentials, SignIn } from './sign-in.ts';
import { type Claims, type TokenSigner, refused } from './token-signer.ts';

/** `sub` of tokens that stand for nobody. */
export const anonymousSubject = 'anonymous';

const maxTokens = 20_000;

interface VerifiedToken {
  readonly claims: Claims;
  readonly principal: Principal;
}

/** Tells who sends a request. Tokens that were verified once are known until they expire or their owner changes. */
export class Authenticator {
  readonly #signIn: SignIn;
  readonly #signer: () => TokenSigner;
  readonly #clock: Clock;
  readonly #tokens = new Recent<VerifiedToken>(maxTokens);

  constructor(options: { readonly signIn: SignIn; readonly signer: () => TokenSigner; readonly clock: Clock }) {
    this.#signIn = options.signIn;
    this.#signer = options.signer;
    this.#clock = options.clock;
  }

  /** Without waiting for whoever was seen before. @throws UNAUTHORIZED, TOOMANYREQUESTS */
  authenticate(authorization: string | undefined, clientAddress: string, registry: Registry): Principal | Promise<Principal> {
    if (authorization === undefined) return anonymousPrincipal(registry);
    if (/^bearer /i.test(authorization)) return this.#bearer(authorization.slice(7).trim(), registry);
    const credentials = parseBasic(authorization);
    if (credentials === undefined) throw new RegistryError('UNAUTHORIZED', { message: 'the Authorization header is neither Basic nor Bearer' });
    const known = this.#signIn.remembered(registry, credentials);
    if (known !== undefined) return adminPrincipal(registry, known.username);
    return this.#signIn.check(registry, credentials, clientAddress).then((admin) => adminPrincipal(registry, admin.username));
  }

  #bearer(token: string, registry: Registry): Principal | Promise<Principal> {
    const known = this.#tokens.get(token);
    const isFresh = known !== undefined && known.principal.registryId === registry.id && this.#clock.now() < known.claims.exp * 1000;
    const claims = isFresh ? known.claims : this.#signer().verify(token, registry, 'access_token');
    if (claims.sub === anonymousSubject) return bearerPrincipal(anonymousPrincipal(registry), claims.access ?? []);
    const admin = this.#signIn.admin(registry);
    const finish = (state: AdminState | undefined): Principal => {
      requireOwner(claims, state);
      if (isFresh) return known.principal;
      const principal = bearerPrincipal(adminPrincipal(registry, claims.sub), claims.access ?? []);
      this.#tokens.set(token, { claims, principal });
      return principal;
    };
    return admin instanceof Promise ? admin.then(finish) : finish(admin);
  }
}

/** A token lives only as long as the credentials that it was issued for (attacks 19, 22). @throws UNAUTHORIZED */
export function requireOwner(claims: Claims, admin: AdminState | undefined): AdminState {
  if (admin === undefined || admin.username !== claims.sub || admin.generation !== claims.generation) throw refused('the credentials that it was issued for have changed');
  return admin;
}

export function parseBasic(authorization: string | undefined): Credentials | undefined {
  const match = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '');
  if (match === null) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
