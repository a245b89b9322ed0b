/** Whose turn comes first: somebody waits for it; small; large. */
export type Urgency = 'urgent' | 'small' | 'large';

interface Waiter {
  readonly start: () => void;
}

/**
 * So many copies at once. Small ones pass large ones, and large ones never take all places: a layer of a gigabyte must not
 * hold up images of a kilobyte. With a single place a large copy gives it away between its parts.
 */
export class Turns {
  readonly #places: number;
  readonly #placesForLarge: number;
  readonly #waiting: Record<Urgency, Set<Waiter>> = { urgent: new Set(), small: new Set(), large: new Set() };
  #taken = 0;
  #takenByLarge = 0;

  constructor(places: number) {
    this.#places = places;
    this.#placesForLarge = Math.max(1, Math.floor((places * 2) / 3));
  }

  /** Copies in work. */
  get taken(): number {
    return this.#taken;
  }

  /** Runs `work` when its turn has come. Rejects with the signal's reason when it aborts before. */
  async run<T>(urgency: Urgency, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T> {
    await this.#take(urgency, signal);
    let isHeld = true;
    const giveWay = async (): Promise<void> => {
      if (!this.#isWanted(urgency)) return;
      isHeld = false;
      this.#leave(urgency);
      await this.#take(urgency, signal);
      isHeld = true;
    };
    try {
      return await work({ isWanted: () => this.#isWanted(urgency), giveWay });
    } finally {
      if (isHeld) this.#leave(urgency);
    }
  }

  #take(urgency: Urgency, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.#hasPlace(urgency)) {
      this.#count(urgency, 1);
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      start: () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      },
    };
    const giveUp = (): void => {
      this.#waiting[urgency].delete(waiter);
      reject(reasonOf(signal));
    };
    this.#waiting[urgency].add(waiter);
    signal.addEventListener('abort', giveUp, { once: true });
    return promise;
  }

  #leave(urgency: Urgency): void {
    this.#count(urgency, -1);
    for (const next of ['urgent', 'small', 'large'] as const) {
      for (const waiter of this.#waiting[next]) {
        if (!this.#hasPlace(next)) break;
        this.#waiting[next].delete(waiter);
        this.#count(next, 1);
        waiter.start();
      }
    }
  }

  #count(urgency: Urgency, change: 1 | -1): void {
    this.#taken += change;
    if (urgency === 'large') this.#takenByLarge += change;
  }

  #isWanted(by: Urgency): boolean {
    return by === 'large' && this.#waiting.urgent.size + this.#waiting.small.size > 0;
  }

  #hasPlace(urgency: Urgency): boolean {
    return this.#taken < this.#places && (urgency !== 'large' || this.#takenByLarge < this.#placesForLarge);
  }
}

/** A place that is held. */
export interface Turn {
  /** Somebody waits who goes first. */
  isWanted(): boolean;
  /** Lets those go first, and comes back when there is a place again; at once when nobody waits. */
  giveWay(): Promise<void>;
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason as Error;
}
