import { RegistryError } from '../errors/index.ts';

export interface LargeManifestLimits {
  /** Large manifests in work at once: each is held in memory twice, as it came and sealed. */
  readonly atOnce: number;
  /** Requests that wait for their turn. */
  readonly maxWaiting: number;
}

const defaultLimits: LargeManifestLimits = { atOnce: 8, maxWaiting: 256 };

/** Lets a few large manifests in at a time, first come, first served; the others wait with their bytes still on the wire. */
export class LargeManifestGate {
  readonly #limits: LargeManifestLimits;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limits: LargeManifestLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Resolves once there is room. Whoever entered must leave. @throws UNAVAILABLE, or the signal's reason */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#limits.atOnce) {
      this.#inside += 1;
      return;
    }
    if (this.#waiting.size >= this.#limits.maxWaiting) {
      throw new RegistryError('UNAVAILABLE', {
        message: 'too many large manifests are being pushed: try again',
        headers: { 'Retry-After': '1' },
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.#waiting.delete(resolve);
      reject(signal.reason as Error);
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise;
    signal.removeEventListener('abort', giveUp);
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside -= 1;
      return;
    }
    // The place goes on to the next.
    this.#waiting.delete(next);
    next();
  }
}
