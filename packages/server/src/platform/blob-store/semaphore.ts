interface Waiter {
  readonly weight: number;
  readonly admit: () => void;
}

/** Admits work up to a capacity; who comes later waits in line. A weight above the capacity counts as all of it. */
export class Semaphore {
  readonly #capacity: number;
  #free: number;
  readonly #waiters: Waiter[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#free = capacity;
  }

  /** Admits at once or not at all; never past those who wait. */
  tryAcquire(weight = 1): boolean {
    const wanted = Math.min(weight, this.#capacity);
    if (this.#waiters.length > 0 || wanted > this.#free) return false;
    this.#free -= wanted;
    return true;
  }

  /** Resolves when admitted. Rejects with the signal's reason, then nothing is held. */
  async acquire(weight = 1, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.tryAcquire(weight)) return;
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#admitNext();
        reject(signal?.reason);
      };
      const admit = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const waiter: Waiter = { weight: Math.min(weight, this.#capacity), admit };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives back what one `acquire` or `tryAcquire` of the same weight took. */
  release(weight = 1): void {
    this.#free += Math.min(weight, this.#capacity);
    this.#admitNext();
  }

  #admitNext(): void {
    for (let next = this.#waiters[0]; next !== undefined && next.weight <= this.#free; next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#free -= next.weight;
      next.admit();
    }
  }
}
