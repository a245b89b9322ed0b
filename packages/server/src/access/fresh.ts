import type { Clock } from '../platform/clock.ts';
import { Recent } from '../platform/recent.ts';

export interface FreshOptions<Value> {
  readonly clock: Clock;
  /** How stale the knowledge of a change in another process may be. */
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  readonly read: (key: string) => Promise<Value>;
}

interface Known<Value> {
  readonly value: Value;
  readonly readAt: number;
}

/** What was read lately, without waiting. A change that this process makes counts at once: `forget` it. */
export class Fresh<Value> {
  readonly #options: FreshOptions<Value>;
  #known: Recent<Known<Value>>;
  readonly #reading = new Map<string, Promise<Value>>();
  /** Grows with each change that this process made: what was read before must not be kept. */
  #changes = 0;

  constructor(options: FreshOptions<Value>) {
    this.#options = options;
    this.#known = new Recent({ maxEntries: options.maxEntries });
  }

  get(key: string): Value | Promise<Value> {
    const known = this.#known.get(key);
    if (known !== undefined && Math.abs(this.#options.clock.now() - known.readAt) < this.#options.maxAgeMs) return known.value;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.readNow(key);
      this.#reading.set(key, reading);
      const mine = reading;
      const forget = (): void => {
        if (this.#reading.get(key) === mine) this.#reading.delete(key);
      };
      reading.then(forget, forget);
    }
    return reading;
  }

  /** Past what is known: what another process has just made must work at once. */
  async readNow(key: string): Promise<Value> {
    const readAt = this.#options.clock.now();
    const changes = this.#changes;
    const value = await this.#options.read(key);
    if (changes === this.#changes) this.#known.set(key, { value, readAt });
    return value;
  }

  forgetAll(): void {
    this.#changes += 1;
    this.#known = new Recent({ maxEntries: this.#options.maxEntries });
    this.#reading.clear();
  }

  forget(key: string): void {
    this.#changes += 1;
    this.#known.delete(key);
    this.#reading.delete(key);
  }
}
