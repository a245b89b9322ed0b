import { setTimeout as delay } from 'node:timers/promises';
import { RegistryError } from '../../errors/index.ts';

/** Who waits for something to change, by registry. */
export class FeedWaits {
  readonly #maxWaiting: number;
  readonly #rings = new Map<number, { promise: Promise<void>; resolve: () => void; waiting: number }>();
  #waiting = 0;

  /** `maxWaiting`: requests that may wait at once. */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** The log of a registry has grown. */
  ring(registryId: number): void {
    const ring = this.#rings.get(registryId);
    if (ring === undefined) return;
    this.#rings.delete(registryId);
    ring.resolve();
  }

  /**
   * Looks until there is something, or until the time is over: after each ring, and by the clock, since other processes write, too.
   * What `look` says last is the answer. @throws TOOMANYREQUESTS when too many wait already
   */
  async until<T>(registryId: number, { look, isEnough, waitMs, lookEveryMs, signal }: WaitOptions<T>): Promise<T> {
    const end = performance.now() + waitMs;
    let isWaiting = false;
    try {
      for (;;) {
        // Before the look: what is written after it rings.
        const ring = this.#join(registryId);
        try {
          const found = await look();
          const leftMs = end - performance.now();
          if (isEnough(found) || leftMs <= 0 || signal.aborted) return found;
          if (!isWaiting) this.#enter();
          isWaiting = true;
          await firstOf(ring.promise, Math.min(leftMs, lookEveryMs), signal);
        } finally {
          this.#leave(registryId, ring);
        }
      }
    } finally {
      if (isWaiting) this.#waiting -= 1;
    }
  }

  #enter(): void {
    if (this.#waiting >= this.#maxWaiting)
      throw new RegistryError('TOOMANYREQUESTS', {
        message: `${this.#maxWaiting} requests wait for changes already`,
        headers: { 'Retry-After': '5' },
      });
    this.#waiting += 1;
  }

  #join(registryId: number) {
    const known = this.#rings.get(registryId);
    if (known !== undefined) {
      known.waiting += 1;
      return known;
    }
    const ring = { ...Promise.withResolvers<void>(), waiting: 1 };
    this.#rings.set(registryId, ring);
    return ring;
  }

  #leave(registryId: number, ring: { waiting: number }): void {
    ring.waiting -= 1;
    if (ring.waiting === 0 && this.#rings.get(registryId) === ring) this.#rings.delete(registryId);
  }
}

export interface WaitOptions<T> {
  readonly look: () => Promise<T>;
  readonly isEnough: (found: T) => boolean;
  readonly waitMs: number;
  readonly lookEveryMs: number;
  readonly signal: AbortSignal;
}

async function firstOf(ring: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const end = new AbortController();
  const time = delay(ms, undefined, { signal: AbortSignal.any([signal, end.signal]) }).catch(() => undefined);
  await Promise.race([ring, time]);
  end.abort();
}
