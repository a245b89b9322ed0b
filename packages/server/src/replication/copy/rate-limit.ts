import type { Clock } from '../../platform/clock.ts';

export type Wait = (delayMs: number, signal: AbortSignal) => Promise<void>;

/** Shorter waits are not worth a timer; they add up. */
const shortestWaitMs = 5;

/**
 * So many bytes in a second on average, of all copies together, in the order in which they ask: each asks for one chunk at a
 * time, so that none starves. What was not used does not count later.
 */
export class RateLimit {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  readonly #wait: Wait;
  #freeAt = 0;

  /** `bytesPerSecond` 0: no limit. */
  constructor(options: { readonly bytesPerSecond: number; readonly clock: Clock; readonly wait: Wait }) {
    this.#bytesPerSecond = options.bytesPerSecond;
    this.#clock = options.clock;
    this.#wait = options.wait;
  }

  /** Undefined: go on at once. Otherwise resolves when the bytes may pass; rejects when `signal` aborts. */
  spend(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#bytesPerSecond === 0) return undefined;
    this.owe(bytes);
    const waitMs = this.#freeAt - this.#clock.now();
    return waitMs < shortestWaitMs ? undefined : this.#wait(waitMs, signal);
  }

  /** Bytes that pass without asking: those who ask wait longer. */
  owe(bytes: number): void {
    if (this.#bytesPerSecond > 0)
      this.#freeAt = Math.max(this.#clock.now(), this.#freeAt) + (bytes * 1000) / this.#bytesPerSecond;
  }
}
