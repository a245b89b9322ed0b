import { type KeyObject, type webcrypto, createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { SigningKey } from '../platform/keys/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { Access } from './scope.ts';

export const issuer = 'Azure Container Registry';
export type GrantType = 'access_token' | 'refresh_token';

/** ACR's lifetimes (acr-api 2.4), in seconds. */
export const lifetimeSeconds: Readonly<Record<GrantType, number>> = { access_token: 75 * 60, refresh_token: 3 * 60 * 60 };

/** Clocks of two processes of one deployment may differ by so much. */
const skewSeconds = 60;
const maxTokenLength = 16 * 1024;

/** What Berth puts into its tokens. */
export interface Claims {
  readonly jti: string;
  readonly sub: string;
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly version: '1.0';
  readonly grant_type: GrantType;
  readonly roles: readonly string[];
  readonly access?: readonly Access[];
  /** The generation of its owner's passwords: the token dies when that moves on. */
  readonly generation: number;
}

interface LoadedKey {
  readonly id: string;
  readonly publicKey: KeyObject;
}

/**
 * Signs and verifies tokens: compact JWS, ES256, by keys of this deployment only. The header's algorithm is compared
 * with ours, never obeyed, and whatever key it carries is not looked at (attack 19).
 */
export class TokenSigner {
  readonly #clock: Clock;
  readonly #keys: ReadonlyMap<string, LoadedKey>;
  readonly #current: { readonly header: string; readonly privateKey: KeyObject };

  constructor(keys: readonly SigningKey[], clock: Clock) {
    const current = keys.find((key) => key.isCurrent);
    if (current === undefined) throw new Error('there is no signing key');
    this.#clock = clock;
    this.#keys = new Map(keys.map((key) => [key.id, { id: key.id, publicKey: createPublicKey({ key: JSON.parse(key.publicKey) as webcrypto.JsonWebKey, format: 'jwk' }) }]));
    this.#current = {
      header: encode({ alg: 'ES256', typ: 'JWT', kid: current.id }),
      privateKey: createPrivateKey({ key: current.privateKey, format: 'der', type: 'pkcs8' }),
    };
  }

  issue(registry: Registry, content: { readonly subject: string; readonly grantType: GrantType; readonly access?: readonly Access[]; readonly generation: number }): { readonly token: string; readonly claims: Claims } {
    const now = Math.floor(this.#clock.now() / 1000);
    const claims: Claims = {
      jti: randomUUID(),
      sub: content.subject,
      iss: issuer,
      aud: registry.loginServer,
      iat: now,
      nbf: now,
      exp: now + lifetimeSeconds[content.grantType],
      version: '1.0',
      grant_type: content.grantType,
      roles: [],
      ...(content.access && { access: content.access }),
      generation: content.generation,
    };
    const signed = `${this.#current.header}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#current.privateKey, dsaEncoding: 'ieee-p1363' });
    return { token: `${signed}.${signature.toString('base64url')}`, claims };
  }

  /** The claims of a token of this registry and kind that is valid now. @throws UNAUTHORIZED */
  verify(token: string, registry: Registry, grantType: GrantType): Claims {
    const parts = token.split('.');
    const [header = '', payload = '', signature = ''] = parts;
    if (token.length > maxTokenLength || parts.length !== 3) throw refused('it is not one of this registry');
    const key = this.#keyOf(decode(header));
    const isGenuine = key !== undefined && verify('sha256', Buffer.from(`${header}.${payload}`), { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    if (!isGenuine) throw refused('it is not one of this registry');
    const claims = decode(payload);
    if (!isClaims(claims) || claims.iss !== issuer || claims.aud !== registry.loginServer) throw refused('it was made for another registry');
    if (claims.grant_type !== grantType) throw refused(`it is not of the kind ${grantType}`);
    const now = this.#clock.now() / 1000;
    if (now >= claims.exp) throw refused('it has expired');
    if (now < claims.nbf - skewSeconds || now < claims.iat - skewSeconds) throw refused('it is not valid yet');
    return claims;
  }

  #keyOf(header: unknown): LoadedKey | undefined {
    if (typeof header !== 'object' || header === null) return undefined;
    const { alg, kid, typ, crit } = header as Record<string, unknown>;
    return alg === 'ES256' && typ === 'JWT' && crit === undefined && typeof kid === 'string' ? this.#keys.get(kid) : undefined;
  }
}

function isClaims(value: unknown): value is Claims {
  if (typeof value !== 'object' || value === null) return false;
  const { sub, iss, aud, iat, nbf, exp, grant_type, generation } = value as Record<string, unknown>;
  return [sub, iss, aud, grant_type].every((text) => typeof text === 'string') && [iat, nbf, exp, generation].every((number) => typeof number === 'number');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

export function refused(why: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', { message: `the token is refused: ${why}; sign in again` });
}
