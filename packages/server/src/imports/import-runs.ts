import { randomUUID } from 'node:crypto';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ImportProgress, ImportRun, ImportStatus } from './model.ts';

export type MutableProgress = { -readonly [Field in keyof ImportProgress]: number };

export type ImportWork = (progress: MutableProgress, signal: AbortSignal) => Promise<void>;

export interface RunToStart {
  readonly registryId: number;
  /** Two with the same key are one. */
  readonly key: string;
  readonly work: ImportWork;
}

export interface ImportRunsLimits {
  readonly atOnce: number;
  readonly maxWaiting: number;
  /** Ended ones that are remembered. */
  readonly maxEnded: number;
  readonly rememberedMs: number;
  readonly maxRunMs: number;
}

const hour = 3_600_000;
const defaultLimits: ImportRunsLimits = { atOnce: 4, maxWaiting: 256, maxEnded: 1000, rememberedMs: hour, maxRunMs: 24 * hour };

export interface ImportRunsOptions {
  readonly clock: Clock;
  /** What a failure means to whoever asked for the import. */
  readonly explain: (error: unknown) => RegistryError;
  readonly limits?: Partial<ImportRunsLimits>;
}

class Run implements ImportRun {
  readonly id = randomUUID();
  readonly registryId: number;
  readonly key: string;
  readonly startedAt: number;
  readonly progress: MutableProgress = { manifestsDone: 0, manifestsTotal: 0, bytesDone: 0, bytesTotal: 0 };
  ended: Promise<void> = Promise.resolve();
  finishedAt: number | undefined;
  status: ImportStatus = 'running';
  error: RegistryError | undefined;

  constructor(registryId: number, key: string, startedAt: number) {
    this.registryId = registryId;
    this.key = key;
    this.startedAt = startedAt;
  }
}

/** Imports of this process: those that wait, those at work, and for a while those that have ended. */
export class ImportRuns {
  readonly #options: ImportRunsOptions;
  readonly #limits: ImportRunsLimits;
  readonly #runs = new Map<string, Run>();
  readonly #running = new Map<string, Run>();
  readonly #waiting: (() => void)[] = [];
  readonly #stop = new AbortController();
  #atWork = 0;

  constructor(options: ImportRunsOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  /** Begins a run, or joins the same one that has not ended. @throws TOOMANYREQUESTS, UNAVAILABLE */
  start({ registryId, key, work }: RunToStart): ImportRun {
    if (this.#stop.signal.aborted) throw stopping();
    const same = this.#running.get(key);
    if (same !== undefined) return same;
    const { atOnce, maxWaiting } = this.#limits;
    if (this.#running.size >= atOnce + maxWaiting) {
      throw new RegistryError('TOOMANYREQUESTS', {
        message: `${this.#running.size} imports are at work or waiting already: try again when some have ended`,
        headers: { 'Retry-After': '60' },
      });
    }
    const run = new Run(registryId, key, this.#options.clock.now());
    this.#runs.set(run.id, run);
    this.#running.set(key, run);
    run.ended = this.#perform(run, work);
    return run;
  }

  find(id: string): ImportRun | undefined {
    this.#forget();
    return this.#runs.get(id);
  }

  /** Ends all runs; resolves when none works any more. */
  async stop(): Promise<void> {
    this.#stop.abort(stopping());
    await Promise.all([...this.#running.values()].map((run) => run.ended));
  }

  async #perform(run: Run, work: ImportWork): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const timeout = new AbortController();
        const timer = setTimeout(() => timeout.abort(tookTooLong()), this.#limits.maxRunMs);
        const signal = AbortSignal.any([this.#stop.signal, timeout.signal]);
        try {
          signal.throwIfAborted();
          await work(run.progress, signal);
        } finally {
          clearTimeout(timer);
        }
      });
      run.status = 'succeeded';
    } catch (error) {
      run.error = this.#options.explain(error);
      run.status = 'failed';
    }
    run.finishedAt = this.#options.clock.now();
    this.#running.delete(run.key);
    // Behind those that ended before: the oldest are the first of the map.
    this.#runs.delete(run.id);
    this.#runs.set(run.id, run);
    this.#forget();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#atWork < this.#limits.atOnce) this.#atWork += 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      // The place goes on to the next.
      const next = this.#waiting.shift();
      if (next === undefined) this.#atWork -= 1;
      else next();
    }
  }

  #forget(): void {
    const { maxEnded, rememberedMs } = this.#limits;
    const since = this.#options.clock.now() - rememberedMs;
    let ended = this.#runs.size - this.#running.size;
    for (const [id, { finishedAt }] of this.#runs) {
      if (finishedAt === undefined) continue;
      if (ended <= maxEnded && finishedAt >= since) break;
      this.#runs.delete(id);
      ended -= 1;
    }
  }
}

function stopping(): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    message: 'the server is stopping: import again, and what was copied is not copied again',
  });
}

function tookTooLong(): RegistryError {
  return new RegistryError('UPSTREAM_FAILED', {
    message: 'the import took more than a day: import again, and what was copied is not copied again',
  });
}
