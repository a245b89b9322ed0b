import { type KeyObject, type webcrypto, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { SigningKey } from '../platform/keys/index.ts';

const maxTokenLength = 16 * 1024;
const tokenPattern = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * Compact JWS, ES256, by keys of this deployment only. A header is not interpreted at all: it is one of those that we
 * write, letter for letter, or the token is refused. So no algorithm, key or extension that it names can have an effect
 * (attack 19).
 */
export class Jws {
  readonly #keysByHeader: ReadonlyMap<string, KeyObject>;
  readonly #current: { readonly header: string; readonly privateKey: KeyObject };
  /** The public keys, as a key set for whoever wants to verify (RFC 7517). */
  readonly publicKeys: readonly Readonly<Record<string, unknown>>[];

  constructor(keys: readonly SigningKey[]) {
    const current = keys.find((key) => key.isCurrent);
    if (current === undefined) throw new Error('there is no signing key');
    this.#keysByHeader = new Map(keys.map((key) => [headerOf(key), publicKeyOf(key)]));
    this.#current = {
      header: headerOf(current),
      privateKey: createPrivateKey({ key: current.privateKey, format: 'der', type: 'pkcs8' }),
    };
    this.publicKeys = keys.map((key) => ({ ...jwkOf(key), kid: key.id, use: 'sig', alg: 'ES256' }));
  }

  sign(claims: object): string {
    const signed = `${this.#current.header}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#current.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  /** The payload of a token that one of our keys signed, still encoded; undefined for any other text. */
  open(token: string): string | undefined {
    return openToken(token, this.#keysByHeader);
  }
}

/** The payload of a token that one of the keys signed, each by the one header that goes with it. */
export function openToken(token: string, keysByHeader: ReadonlyMap<string, KeyObject>): string | undefined {
  const parts = token.length > maxTokenLength ? null : tokenPattern.exec(token);
  const [, header = '', payload = '', signature = ''] = parts ?? [];
  const key = keysByHeader.get(header);
  return key !== undefined && isSignedBy(key, `${header}.${payload}`, signature) ? payload : undefined;
}

/** Public keys of another region by the header of its tokens; what is no key for ES256 is left out. */
export function keysOfRegion(keys: readonly Readonly<Record<string, unknown>>[]): ReadonlyMap<string, KeyObject> {
  const found = new Map<string, KeyObject>();
  for (const { kty, crv, x, y, kid } of keys) {
    if (kty !== 'EC' || crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string' || typeof kid !== 'string') continue;
    found.set(headerOf({ id: kid }), createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' }));
  }
  return found;
}

function headerOf({ id }: Pick<SigningKey, 'id'>): string {
  return encode({ alg: 'ES256', typ: 'JWT', kid: id });
}

function jwkOf({ publicKey }: SigningKey): webcrypto.JsonWebKey {
  return JSON.parse(publicKey) as webcrypto.JsonWebKey;
}

function publicKeyOf(key: SigningKey): KeyObject {
  return createPublicKey({ key: jwkOf(key), format: 'jwk' });
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
