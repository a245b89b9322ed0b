/** Whose turn comes first: somebody waits for it; small; large. */
export type Urgency = 'urgent' | 'small' | 'large';

/** Of one copy, from its wish to its end. Written by `Turns` alone. */
export class Ticket {
  urgency: Urgency;
  /** As what it has a place. */
  held: Urgency | undefined;
  /** While it waits. */
  start: (() => void) | undefined;

  constructor(urgency: Urgency) {
    this.urgency = urgency;
  }
}

/**
 * So many copies at once. Small ones pass large ones, and large ones never take all places: a layer of a gigabyte must not
 * hold up images of a kilobyte. With a single place a large copy gives it away between its parts. What somebody waits for may have
 * as many places again.
 */
export class Turns {
  readonly #places: number;
  readonly #placesForLarge: number;
  readonly #waiting: Record<Urgency, Set<Ticket>> = { urgent: new Set(), small: new Set(), large: new Set() };
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

  /** Somebody waits for it now. */
  hurry(ticket: Ticket): void {
    const isWaiting = this.#waiting[ticket.urgency].delete(ticket);
    ticket.urgency = 'urgent';
    if (!isWaiting) return;
    this.#waiting.urgent.add(ticket);
    this.#startNext();
  }

  /** Runs `work` when its turn has come. Rejects with the signal's reason when it aborts before. */
  async run<T>(ticket: Ticket, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T> {
    await this.#take(ticket, signal);
    const giveWay = async (): Promise<void> => {
      if (!this.#isWanted(ticket.urgency)) return;
      this.#leave(ticket);
      await this.#take(ticket, signal);
    };
    try {
      return await work({ isWanted: () => this.#isWanted(ticket.urgency), giveWay });
    } finally {
      if (ticket.held !== undefined) this.#leave(ticket);
    }
  }

  #take(ticket: Ticket, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.#hasPlace(ticket.urgency)) {
      this.#hold(ticket);
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.#waiting[ticket.urgency].delete(ticket);
      reject(reasonOf(signal));
    };
    ticket.start = () => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    };
    this.#waiting[ticket.urgency].add(ticket);
    signal.addEventListener('abort', giveUp, { once: true });
    return promise;
  }

  #hold(ticket: Ticket): void {
    ticket.held = ticket.urgency;
    this.#taken += 1;
    if (ticket.held === 'large') this.#takenByLarge += 1;
  }

  #leave(ticket: Ticket): void {
    this.#taken -= 1;
    if (ticket.held === 'large') this.#takenByLarge -= 1;
    ticket.held = undefined;
    this.#startNext();
  }

  #startNext(): void {
    for (const next of ['urgent', 'small', 'large'] as const) {
      for (const ticket of this.#waiting[next]) {
        if (!this.#hasPlace(next)) break;
        this.#waiting[next].delete(ticket);
        this.#hold(ticket);
        ticket.start?.();
      }
    }
  }

  #isWanted(by: Urgency): boolean {
    return by === 'large' && this.#waiting.urgent.size + this.#waiting.small.size > 0;
  }

  #hasPlace(urgency: Urgency): boolean {
    if (urgency === 'urgent') return this.#taken < 2 * this.#places;
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
