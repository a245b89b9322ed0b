import type { JWK } from 'jose';

/** Public keys of an issuer (RFC 7517). */
export interface KeySet {
  readonly keys: readonly JWK[];
}

const maxKeys = 100;
const keyTypes = ['RSA', 'EC', 'OKP'];

/** The signing keys of a key set from outside; symmetric and encryption keys are left out. @throws Error when there is none */
export function parseKeySet(value: unknown): KeySet {
  const { keys } = (value ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('it is no JSON Web Key Set: it has no list "keys"');
  if (keys.length > maxKeys) throw new Error(`it has more than ${maxKeys} keys`);
  const usable = keys.filter(isSigningKey);
  if (usable.length === 0) throw new Error('it has no public key to check signatures with');
  return { keys: usable };
}

function isSigningKey(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null) return false;
  const { kty, use } = value as JWK;
  return keyTypes.includes(kty ?? '') && (use === undefined || use === 'sig');
}

/** Whether somebody gave his private keys away. */
export function hasPrivateKey({ keys }: KeySet): boolean {
  return keys.some((key) => 'd' in key);
}
