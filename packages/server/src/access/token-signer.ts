import { type KeyObject, type webcrypto, createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { SigningKey } from '../platform/keys/index.ts';
import type { Registry } from '../tenancy/index.ts';
import { type Claims, type GrantType, parseClaims } from './claims.ts';
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
const maxTokenLength = 16 * 1024;
const tokenPattern = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

export interface TokenContent {
  /** Undefined for nobody: an anonymous token. */
  readonly owner: SignedIn | undefined;
  readonly grantType: GrantType;
  readonly access?: readonly Access[];
}

/**
 * Signs and verifies tokens: compact JWS, ES256, by keys of this deployment only. A header is not interpreted at all: it
 * is one of those that we write, letter for letter, or the token is refused. So no algorithm, key or extension that it
 * names can have an effect (attack 19).
 */
export class TokenSigner {
  readonly #clock: Clock;
  readonly #keysByHeader: ReadonlyMap<string, KeyObject>;
  readonly #current: { readonly header: string; readonly privateKey: KeyObject };

  constructor(keys: readonly SigningKey[], clock: Clock) {
    const current = keys.find((key) => key.isCurrent);
    if (current === undefined) throw new Error('there is no signing key');
    this.#clock = clock;
    this.#keysByHeader = new Map(keys.map((key) => [headerOf(key), publicKeyOf(key)]));
    this.#current = {
      header: headerOf(current),
      privateKey: createPrivateKey({ key: current.privateKey, format: 'der', type: 'pkcs8' }),
    };
  }

  issue(registry: Registry, { owner, grantType, access }: TokenContent): { readonly token: string; readonly claims: Claims } {
    const now = Math.floor(this.#clock.now() / 1000);
    const claims: Claims = {
      jti: randomUUID(),
      sub: owner?.username ?? 'anonymous',
      iss: issuer,
      aud: registry.loginServer,
      iat: now,
      nbf: now,
      exp: now + lifetimeSeconds[grantType],
      version: '1.0',
      grant_type: grantType,
      roles: [],
      ...(access && { access }),
      ...(owner && { owner }),
    };
    const signed = `${this.#current.header}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#current.privateKey, dsaEncoding: 'ieee-p1363' });
    return { token: `${signed}.${signature.toString('base64url')}`, claims };
  }

  /** The claims of a token of this registry and kind that is valid now. @throws UNAUTHORIZED */
  verify(token: string, registry: Registry, grantType: GrantType): Claims {
    const parts = token.length > maxTokenLength ? null : tokenPattern.exec(token);
    const [, header = '', payload = '', signature = ''] = parts ?? [];
    const key = this.#keysByHeader.get(header);
    if (key === undefined || !isSignedBy(key, `${header}.${payload}`, signature)) throw refused('it is not one of this registry');
    const claims = parseClaims(payload);
    if (claims === undefined || claims.iss !== issuer || claims.aud !== registry.loginServer)
      throw refused('it was made for another registry');
    if (claims.grant_type !== grantType) throw refused(`it is not of the kind ${grantType}`);
    const now = this.#clock.now() / 1000;
    if (now >= claims.exp) throw refused('it has expired');
    if (now < Math.max(claims.nbf, claims.iat) - skewSeconds) throw refused('it is not valid yet');
    return claims;
  }
}

function headerOf({ id }: SigningKey): string {
  return encode({ alg: 'ES256', typ: 'JWT', kid: id });
}

function publicKeyOf({ publicKey }: SigningKey): KeyObject {
  return createPublicKey({ key: JSON.parse(publicKey) as webcrypto.JsonWebKey, format: 'jwk' });
}

function isSignedBy(key: KeyObject, signed: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  // The last letter has bits that mean nothing: one token must not have several spellings.
  if (bytes.toString('base64url') !== signature) return false;
  return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export function refused(why: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', { message: `the token is refused: ${why}; sign in again` });
}
