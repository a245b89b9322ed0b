import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from '../platform/keys/index.ts';
import type { RegistryTrust, VerifierKey } from './region-credentials.ts';

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

/** Keys of another region, and how registries of this one are numbered there. */
interface HomeKey {
  readonly key: Buffer;
  readonly registryIds: Map<number, number>;
}

/** Secrets of identities belong to no registry: their verifiers stand for this id, in every region. */
export const directoryId = 0;

/**
 * Keeps and checks generated passwords as keyed SHA-256. The keys come from the deployment's signing keys, which lie
 * wrapped in the database: a stolen database alone cannot even test a guess. A verifier names its key, so that it
 * outlives newer ones: `<key id>.<hash>`.
 */
export class GeneratedPasswords {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;
  /** Of other regions, where registries of this one have their home. */
  #homeKeys: ReadonlyMap<string, HomeKey> = new Map();

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

  /** All that verifiers of this deployment may name. */
  get verifierKeys(): readonly VerifierKey[] {
    return [...this.#keys].map(([id, key]) => ({ id, key }));
  }

  /** From now on passwords that were made at home are taken at its replicas here. */
  trust(registries: readonly Pick<RegistryTrust, 'registryId' | 'home'>[]): void {
    const keys = new Map<string, HomeKey>();
    for (const { registryId, home } of registries)
      for (const { id, key } of home?.verifierKeys ?? []) {
        const known = keys.get(id) ?? { key, registryIds: new Map([[directoryId, directoryId]]) };
        known.registryIds.set(registryId, home?.registryId ?? registryId);
        keys.set(id, known);
      }
    this.#homeKeys = keys;
  }

  /** What to store of a secret. */
  verifierOf(registryId: number, secret: string): string {
    return verifier({ id: this.#current, key: this.#keys.get(this.#current) }, registryId, secret);
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
      const { key, id } = this.#keyFor(keyId, registryId);
      const actual = Buffer.from(verifier({ id: keyId, key }, id, secret));
      const expected = Buffer.from(password.verifier);
      if (actual.length === expected.length && timingSafeEqual(actual, expected) && key !== undefined) found = password;
    }
    return found;
  }

  /** The key that a verifier names, and the registry as it is numbered where the verifier was made. */
  #keyFor(keyId: string, registryId: number): { readonly key: Buffer | undefined; readonly id: number } {
    const own = this.#keys.get(keyId);
    if (own !== undefined) return { key: own, id: registryId };
    const home = this.#homeKeys.get(keyId);
    const id = home?.registryIds.get(registryId);
    return id === undefined ? { key: undefined, id: registryId } : { key: home?.key, id };
  }
}

function verifier(
  { id, key }: { readonly id: string; readonly key: Buffer | undefined },
  registryId: number,
  secret: string,
): string {
  return `${id}.${createHmac('sha256', key ?? '')
    .update(`${registryId}:`)
    .update(secret)
    .digest('base64url')}`;
}
