import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';

export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Shorter waits than this are not worth a timer; they add up. */
const shortestWaitMs = 5;

/**
 * Keeps work to so many bytes in a second, on average, and lets others have their turn in between. What was not used does
 * not count later.
 */
export class Pacer {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  readonly #wait: Wait;
  #freeAt = 0;

  constructor(options: { readonly bytesPerSecond: number; readonly clock: Clock; readonly wait: Wait }) {
    this.#bytesPerSecond = options.bytesPerSecond;
    this.#clock = options.clock;
    this.#wait = options.wait;
  }

  /** Resolves when the next bytes may be read. Rejects when `signal` aborts. */
  async spend(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.#clock.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes * 1000) / this.#bytesPerSecond;
    if (this.#freeAt - now >= shortestWaitMs) await this.#wait(this.#freeAt - now, signal);
    // Where reading needs no waiting (the database, the memory), the loop would see nothing else.
    else await nextTurn(undefined, { signal });
  }
}
