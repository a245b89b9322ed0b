import { type KeyObject, randomUUID } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Registry } from '../tenancy/index.ts';
import { type Claims, type GrantType, parseClaims } from './claims.ts';
import { type Jws, keysOfRegion, openToken } from './jws.ts';
import type { RegistryTrust } from './region-credentials.ts';
import type { Access } from './scope.ts';
import type { SignedIn } from './signed-in.ts';

const issuer = 'Azure Container Registry';

/**
 * Seconds. Access tokens live as long as ACR's (acr-api 2.4). A refresh token stands in for a password, in docker's
 * configuration for one, and must not lapse within days. It dies with that password.
 */
const lifetimeSeconds: Readonly<Record<GrantType, number>> = {
  access_token: 75 * 60,
  refresh_token: 365 * 24 * 60 * 60,
};

/** Clocks of two processes of one deployment may differ by so much. */
const skewSeconds = 60;

export interface TokenContent {
  /** Undefined for nobody: an anonymous token. */
  readonly owner: SignedIn | undefined;
  readonly grantType: GrantType;
  readonly access?: readonly Access[];
  /** Instead of what its kind has. */
  readonly lifetimeSeconds?: number;
  /** Further claims that clients read, and Berth does not. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

interface RegionKeys {
  readonly audience: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** Makes and checks the tokens of the data plane. */
export class TokenSigner {
  readonly #clock: Clock;
  readonly #jws: Jws;
  /** Of other regions that hold a registry, by its id. */
  #regions: ReadonlyMap<number, readonly RegionKeys[]> = new Map();

  constructor(jws: Jws, clock: Clock) {
    this.#clock = clock;
    this.#jws = jws;
  }

  issue(registry: Registry, content: TokenContent): { readonly token: string; readonly claims: Claims } {
    const { owner, grantType, access } = content;
    const now = Math.floor(this.#clock.now() / 1000);
    const claims: Claims = {
      ...content.claims,
      jti: randomUUID(),
      sub: owner?.username ?? 'anonymous',
      iss: issuer,
      aud: registry.loginServer,
      iat: now,
      nbf: now,
      exp: now + (content.lifetimeSeconds ?? lifetimeSeconds[grantType]),
      version: '1.0',
      grant_type: grantType,
      roles: [],
      ...(access && { access }),
      ...(owner && { owner }),
    };
    return { token: this.#jws.sign(claims), claims };
  }

  /** From now on tokens are taken that these regions made for the registries. */
  trust(registries: readonly Pick<RegistryTrust, 'registryId' | 'regions'>[]): void {
    this.#regions = new Map(
      registries.map(({ registryId, regions }) => [
        registryId,
        regions.map(({ loginServer, tokenKeys }) => ({ audience: loginServer, keys: keysOfRegion(tokenKeys) })),
      ]),
    );
  }

  /** Whether this deployment signed it, or another region that holds the registry. */
  isOne(token: string, registry: Registry): boolean {
    return this.#open(token, registry) !== undefined;
  }

  /** The payload, and as what the registry is known to whoever signed it. */
  #open(token: string, { id, loginServer }: Registry): { readonly payload: string; readonly audience: string } | undefined {
    const own = this.#jws.open(token);
    if (own !== undefined) return { payload: own, audience: loginServer };
    for (const { audience, keys } of this.#regions.get(id) ?? []) {
      const payload = openToken(token, keys);
      if (payload !== undefined) return { payload, audience };
    }
    return undefined;
  }

  /** The claims of a token of this registry and kind that is valid now; another region that holds the registry may have made it. @throws UNAUTHORIZED */
  verify(token: string, registry: Registry, grantType: GrantType): Claims {
    const opened = this.#open(token, registry);
    if (opened === undefined) throw refused('it is not one of this registry');
    const claims = parseClaims(opened.payload);
    if (claims === undefined || claims.iss !== issuer || claims.aud !== opened.audience)
      throw refused('it was made for another registry');
    if (claims.grant_type !== grantType) throw refused(`it is not of the kind ${grantType}`);
    const now = this.#clock.now() / 1000;
    if (now >= claims.exp) throw refused('it has expired');
    if (now < Math.max(claims.nbf, claims.iat) - skewSeconds) throw refused('it is not valid yet');
    return claims;
  }
}

export function refused(why: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', { message: `the token is refused: ${why}; sign in again` });
}
