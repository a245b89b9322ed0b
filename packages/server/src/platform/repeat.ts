import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from './logger.ts';

export interface RepeatOptions {
  /** Stands in the log when a round fails. */
  readonly name: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Does some work now and again after each pause; a round that fails is logged and the next one tried. Resolves once `signal` aborts. */
export async function repeat(work: () => Promise<unknown>, { name, everyMs, signal, log }: RepeatOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted)
        log.error({ err: error, loop: name }, 'a round of background work failed; the next one will try again');
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
