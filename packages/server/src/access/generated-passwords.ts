import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from '../platform/keys/index.ts';

/**
 * 256 random bits: nobody guesses them, so a fast keyed hash is enough to keep them. None begins with a dash, which command
 * lines read as an option (`az login --password`); to draw again costs a fiftieth of a bit.
 */
export function generateSecret(): string {
  let secret: string;
  do secret = randomBytes(32).toString('base64url');
  while (secret.startsWith('-'));
  return secret;
}

/**
 * Keeps and checks generated passwords as keyed SHA-256. The keys come from the deployment's signing keys, which lie
 * wrapped in the database: a stolen database alone cannot even test a guess. A verifier names its key, so that it
 * outlives newer ones: `<key id>.<hash>`.
 */
export class GeneratedPasswords {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;

  constructor(signingKeys: readonly SigningKey[]) {
    const current = signingKeys.find((key) => key.isCurrent);
    if (current === undefined) throw new Error('there is no signing key');
    this.#current = current.id;
    this.#keys = new Map(
      signingKeys.map(({ id, privateKey }) => [
        id,
        Buffer.from(hkdfSync('sha256', privateKey, Buffer.alloc(0), 'berth generated passwords', 32)),
      ]),
    );
  }

  /** What to store of a secret. */
  verifierOf(registryId: number, secret: string): string {
    return this.#verifier(this.#current, registryId, secret);
  }

  /** Which of several generated passwords a secret is; always compares with each, in constant time. */
  findAmong<Password extends { readonly verifier: string }>(
    passwords: readonly Password[],
    registryId: number,
    secret: string,
  ): Password | undefined {
    let found: Password | undefined;
    for (const password of passwords) {
      const [keyId = ''] = password.verifier.split('.', 1);
      const actual = Buffer.from(this.#verifier(keyId, registryId, secret));
      const expected = Buffer.from(password.verifier);
      if (actual.length === expected.length && timingSafeEqual(actual, expected) && this.#keys.has(keyId)) found = password;
    }
    return found;
  }

  #verifier(keyId: string, registryId: number, secret: string): string {
    const key = this.#keys.get(keyId) ?? '';
    return `${keyId}.${createHmac('sha256', key).update(`${registryId}:`).update(secret).digest('base64url')}`;
  }
}
