import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from '../platform/keys/index.ts';

/** `r`: read. `cw`: create and write. As Azure spells them. */
export type AddressPermission = 'r' | 'cw';

/** What a signature is about. */
export interface AddressGrant {
  /** Names of registries are given again; a signature must not be. */
  readonly registryId: number;
  /** Path of the address, as the server sees it. */
  readonly path: string;
  readonly permission: AddressPermission;
}

/** Of the signatures of Azure Storage: clients send it on and do not look at it. */
const signatureVersion = '2021-06-08';
const maxIdentifierLength = 128;

/**
 * Addresses that carry their own permission, shaped like the shared access signatures of Azure Storage: `sv`, `sr`, `sp`, `se`,
 * `sig`, and `si` for what only the holder of the address may know. Their key comes from the deployment's signing keys.
 */
export class SignedAddresses {
  readonly #keys: readonly Buffer[];
  readonly #current: Buffer;

  constructor(signingKeys: readonly SigningKey[]) {
    const derive = ({ privateKey }: SigningKey): Buffer =>
      Buffer.from(hkdfSync('sha256', privateKey, Buffer.alloc(0), 'berth signed addresses', 32));
    const current = signingKeys.find((key) => key.isCurrent);
    if (current === undefined) throw new Error('there is no signing key');
    this.#keys = signingKeys.map(derive);
    this.#current = derive(current);
  }

  /** The query of an address, without its question mark. `expiresAt`: ms since the epoch. */
  sign(grant: AddressGrant, { expiresAt, identifier }: { readonly expiresAt: number; readonly identifier?: string }): string {
    const expiry = new Date(expiresAt).toISOString().replace(/\.\d{3}Z$/, 'Z');
    const facts = { grant, expiry, identifier: identifier ?? '' };
    const query = new URLSearchParams({
      sv: signatureVersion,
      sr: 'b',
      sp: grant.permission,
      se: expiry,
      ...(identifier !== undefined && { si: identifier }),
      sig: signature(this.#current, facts).toString('base64'),
    });
    return query.toString();
  }

  /** Whether a query was signed for this, and its time has not come. Compares in constant time, with every key. */
  check(grant: AddressGrant, query: URLSearchParams, now: number): 'valid' | 'expired' | 'invalid' {
    const [expiry, identifier, given] = [query.get('se') ?? '', query.get('si') ?? '', query.get('sig') ?? ''];
    if (query.get('sv') !== signatureVersion || query.get('sr') !== 'b' || query.get('sp') !== grant.permission) return 'invalid';
    if (identifier.length > maxIdentifierLength || given.length > 64 || !/^[\dTZ:-]{20}$/.test(expiry)) return 'invalid';
    const actual = Buffer.from(given, 'base64');
    let isSigned = false;
    for (const key of this.#keys) {
      const expected = signature(key, { grant, expiry, identifier });
      if (actual.length === expected.length && timingSafeEqual(actual, expected)) isSigned = true;
    }
    if (!isSigned) return 'invalid';
    return Date.parse(expiry) > now ? 'valid' : 'expired';
  }
}

interface SignedFacts {
  readonly grant: AddressGrant;
  readonly expiry: string;
  readonly identifier: string;
}

/** As JSON, in which no part can run into the next. */
function signature(key: Buffer, { grant: { registryId, path, permission }, expiry, identifier }: SignedFacts): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([signatureVersion, registryId, path, permission, expiry, identifier]))
    .digest();
}
