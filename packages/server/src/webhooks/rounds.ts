import type { Logger } from '../platform/logger.ts';

/** Work of which one round goes on at a time: whoever wants one meanwhile gets another after it. */
export class Rounds {
  readonly #work: () => Promise<void>;
  readonly #options: { readonly name: string; readonly log: Logger; readonly signal: AbortSignal };
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>, options: { readonly name: string; readonly log: Logger; readonly signal: AbortSignal }) {
    this.#work = work;
    this.#options = options;
  }

  /** Resolves after a round that began no earlier than now; one that fails is logged. */
  begin(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    this.#next = this.#running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  async settled(): Promise<void> {
    while (this.#running !== undefined) await (this.#next ?? this.#running);
  }

  #start(): Promise<void> {
    const running = this.#round().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #round(): Promise<void> {
    const { name, log, signal } = this.#options;
    if (signal.aborted) return;
    try {
      await this.#work();
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, loop: name }, 'a round of webhooks failed; the next one tries again');
    }
  }
}
