import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { AdminPasswordRow } from '../platform/database/index.ts';

/** 256 random bits: nobody guesses them, so a fast keyed hash is enough to keep them. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * The key of the keyed hash. It comes from the deployment's oldest signing key, which lies wrapped in the database: a
 * stolen database alone cannot even test a guess.
 */
export function passwordKeyFrom(signingKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', signingKey, Buffer.alloc(0), 'berth generated passwords', 32));
}

export function verifierOfSecret(key: Uint8Array, registryId: number, secret: string): string {
  return createHmac('sha256', key).update(`${registryId}:`).update(secret).digest('base64url');
}

/** Whether a secret is one of the generated passwords; always compares with each, in constant time. */
export function isGeneratedPassword(key: Uint8Array, passwords: readonly AdminPasswordRow[], registryId: number, secret: string): boolean {
  const actual = Buffer.from(verifierOfSecret(key, registryId, secret));
  let isMatch = false;
  for (const password of passwords) {
    const expected = Buffer.from(password.verifier);
    const isEqual = password.scheme === 'keyed-sha256' && expected.length === actual.length && timingSafeEqual(expected, actual);
    isMatch = isEqual || isMatch;
  }
  return isMatch;
}

/** One argon2 check takes some 20 MiB and tens of milliseconds of a core: a crowd must not take them all. */
const maxAtOnce = 2;
const maxWaiting = 64;

/** argon2id for passwords that a person chose; loaded when first needed. */
export class HumanPasswords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  hash(password: string): Promise<string> {
    return this.#inTurn(async () => (await import('@node-rs/argon2')).hash(password));
  }

  verify(verifier: string, password: string): Promise<boolean> {
    return this.#inTurn(async () => (await import('@node-rs/argon2')).verify(verifier, password));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxAtOnce) {
      if (this.#waiting.length >= maxWaiting) throw new RegistryError('TOOMANYREQUESTS', { message: 'too many sign-ins are being checked; try again', headers: { 'Retry-After': '2' } });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
