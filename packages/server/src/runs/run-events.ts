import type { RunFacts } from './model.ts';

/** What happens to runs in this process, for those who wait for it. */
export class RunEvents {
  readonly #queueWaiters = new Set<() => void>();
  readonly #runWaiters = new Map<number, Set<() => void>>();
  readonly #endListeners: ((run: RunFacts) => void)[] = [];
  readonly #jobs = new Set<Promise<void>>();

  onEnded(listener: (run: RunFacts) => void): void {
    this.#endListeners.push(listener);
  }

  /** Something may be claimed that could not before. */
  queueMoved(): void {
    for (const wake of this.#queueWaiters) wake();
  }

  /** A run, or its log, is not what it was. */
  runChanged(rowId: number): void {
    for (const wake of this.#runWaiters.get(rowId) ?? []) wake();
  }

  runEnded(run: RunFacts): void {
    for (const listener of this.#endListeners) listener(run);
  }

  /** Resolves when the queue moved, after `forMs`, or when a signal aborts. */
  queueMove(forMs: number, signals: readonly AbortSignal[]): Promise<void> {
    return waitIn(this.#queueWaiters, forMs, signals);
  }

  /** Begins to watch a run; what happens from then on ends the next `wait`. */
  watch(rowId: number): { wait(forMs: number, signals: readonly AbortSignal[]): Promise<void>; stop(): void } {
    let hasChanged = false;
    const waiters = new Set<() => void>();
    const wake = (): void => {
      hasChanged = true;
      for (const each of waiters) each();
    };
    const all = this.#runWaiters.get(rowId) ?? new Set();
    this.#runWaiters.set(rowId, all.add(wake));
    return {
      wait: async (forMs, signals) => {
        if (!hasChanged) await waitIn(waiters, forMs, signals);
        hasChanged = false;
      },
      stop: () => {
        all.delete(wake);
        if (all.size === 0 && this.#runWaiters.get(rowId) === all) this.#runWaiters.delete(rowId);
      },
    };
  }

  /** Work that a stop waits for. */
  begin(job: Promise<void>): void {
    this.#jobs.add(job);
    void job.finally(() => this.#jobs.delete(job));
  }

  async settled(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
  }
}

function waitIn(waiters: Set<() => void>, forMs: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      waiters.delete(finish);
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, forMs);
    timer.unref();
    waiters.add(finish);
    for (const signal of signals) signal.addEventListener('abort', finish, { once: true });
    if (signals.some(({ aborted }) => aborted)) finish();
  });
}
