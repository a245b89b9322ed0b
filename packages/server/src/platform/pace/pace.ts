import type { Clock } from '../clock.ts';

export type Wait = (delayMs: number, signal: AbortSignal) => Promise<void>;

/** Shorter waits are not worth a timer; they add up. */
const shortestWaitMs = 5;

export interface PaceOptions {
  /** 0: no limit. A function is asked for each piece of work. */
  readonly bytesPerSecond: number | (() => number);
  readonly clock: Clock;
  readonly wait: Wait;
}

/**
 * So many bytes in a second on average, of all who share it, in the order in which they ask: each asks for a little at a time, so
 * that none starves. What was not used does not count later.
 */
export class Pace {
  readonly #options: PaceOptions;
  #freeAt = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Undefined: go on at once. Otherwise resolves when the bytes may pass; rejects when `signal` aborts. */
  spend(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    const { clock, wait } = this.#options;
    if (!this.#owe(bytes)) return undefined;
    const waitMs = this.#freeAt - clock.now();
    return waitMs < shortestWaitMs ? undefined : wait(waitMs, signal);
  }

  /** Bytes that pass without asking: those who ask wait longer. */
  owe(bytes: number): void {
    this.#owe(bytes);
  }

  /** False: there is no limit. */
  #owe(bytes: number): boolean {
    const { bytesPerSecond: set, clock } = this.#options;
    const bytesPerSecond = typeof set === 'number' ? set : set();
    if (bytesPerSecond === 0) return false;
    this.#freeAt = Math.max(clock.now(), this.#freeAt) + (bytes * 1000) / bytesPerSecond;
    return true;
  }
}
