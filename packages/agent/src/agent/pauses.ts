import { setTimeout as delay } from 'node:timers/promises';

const firstMs = 500;
const longestMs = 30_000;

/** Pauses between attempts at a server that is away: ever longer, and never the same for two agents. */
export class Pauses {
  #nextMs = firstMs;

  /** @throws the signal's reason */
  async take(signal: AbortSignal): Promise<void> {
    const ms = this.#nextMs * (0.5 + Math.random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, longestMs);
    await pause(ms, signal);
  }

  reset(): void {
    this.#nextMs = firstMs;
  }
}

/** @throws the signal's reason */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
