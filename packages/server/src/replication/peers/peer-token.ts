import type { Clock } from '../../platform/clock.ts';
import { type RegionKeys, signRegionToken } from '../../platform/region-keys/index.ts';

/** A token is good for five minutes. */
const renewMs = 120_000;

/**
 * The `Authorization` of this region at another one. With two keys, the one that was taken last is used, so that keys can be
 * changed one region after the other.
 */
export class PeerToken {
  readonly #keys: RegionKeys;
  readonly #names: { readonly from: string; readonly to: string };
  readonly #clock: Clock;
  #keyIndex = 0;
  #made: { readonly header: Promise<string>; readonly at: number } | undefined;

  constructor(keys: RegionKeys, names: { readonly from: string; readonly to: string }, clock: Clock) {
    this.#keys = keys;
    this.#names = names;
    this.#clock = clock;
  }

  header(): Promise<string> {
    const now = this.#clock.now();
    const { from, to } = this.#names;
    const age = now - (this.#made?.at ?? 0);
    // A clock that was put back makes another one, too.
    if (this.#made === undefined || age < 0 || age > renewMs) {
      const key = this.#keys[this.#keyIndex] ?? this.#keys[0];
      const header = signRegionToken(key, { from, to, now }).then(
        (token) => `Basic ${Buffer.from(`$region:${token}`).toString('base64')}`,
      );
      this.#made = { header, at: now };
    }
    return this.#made.header;
  }

  /** The other region did not know the key of this header. True: there is another one to try. */
  async isWorthRetrying(refused: string): Promise<boolean> {
    if (this.#keys.length === 1) return false;
    // Another request may have changed it meanwhile.
    if ((await this.header()) === refused) {
      this.#keyIndex = (this.#keyIndex + 1) % this.#keys.length;
      this.#made = undefined;
    }
    return true;
  }
}
