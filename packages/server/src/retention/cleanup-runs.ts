import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from '../tenancy/index.ts';
import { enforcePolicy } from './enforce-policy.ts';
import { enabledRules } from './manage-rules.ts';
import type { RetentionContext } from './model.ts';
import { planCleanup } from './plan-cleanup.ts';
import { type SweepTotals, nothingDone, sumOf, sweep } from './sweep.ts';

export interface RunState extends SweepTotals {
  readonly state: 'never' | 'running' | 'finished' | 'stopped';
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

const neverRun: RunState = { ...nothingDone, state: 'never', startedAt: null, finishedAt: null };

/** Between pages in the background: requests have the database to themselves most of the time. */
const pauseMs = 20;

/** Cleans registries up in the background, one at a time, and remembers what the latest run of each did. */
export class CleanupRuns {
  readonly #context: RetentionContext;
  readonly #signal: AbortSignal;
  readonly #states = new Map<number, RunState>();
  #last: Promise<void> = Promise.resolve();
  /** Registries whose policy waits for its round. */
  readonly #woken = new Set<number>();

  /** What runs ends when the signal aborts. */
  constructor(context: RetentionContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  state(registryId: number): RunState {
    return this.#states.get(registryId) ?? neverRun;
  }

  /** Begins a run unless one goes on or waits; resolves when it has ended, and never rejects. */
  start(registry: Registry): Promise<void> {
    if (this.state(registry.id).state === 'running' || this.#signal.aborted) return this.#last;
    this.#states.set(registry.id, { ...neverRun, state: 'running', startedAt: this.#context.clock.now() });
    return this.#inLine(() => this.#run(registry));
  }

  /** Enforces the retention policy alone, soon: something has just lost a tag, and is not to wait for days. */
  wake(registry: Registry): void {
    if (registry.policies.retentionDays !== 0 || this.#woken.has(registry.id) || this.#signal.aborted) return;
    this.#woken.add(registry.id);
    void this.#inLine(async () => {
      await this.#pause();
      this.#woken.delete(registry.id);
      await this.#attempt(async () => void (await this.#enforce(registry)));
    });
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#last; ) {
      last = this.#last;
      await last;
    }
  }

  #inLine(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    return this.#last;
  }

  async #run(registry: Registry): Promise<void> {
    const { id } = registry;
    const isDone = await this.#attempt(async () => {
      const swept = await this.#applyRules(id);
      const enforced = await this.#enforce(registry);
      this.#update(id, { ...swept, ...sumOf(swept, enforced) });
    });
    this.#update(id, { state: isDone ? 'finished' : 'stopped', finishedAt: this.#context.clock.now() });
  }

  async #applyRules(registryId: number): Promise<SweepTotals> {
    const context = this.#context;
    const rules = await enabledRules(context, registryId);
    if (rules.length === 0) return nothingDone;
    const signal = this.#signal;
    const plan = planCleanup({
      db: context.database.read,
      rules,
      lastPulls: context.lastPulls,
      asOf: context.clock.now(),
      signal,
    });
    const continues = async (totals: SweepTotals): Promise<boolean> => {
      this.#update(registryId, totals);
      await this.#pause();
      return true;
    };
    return (await sweep(context, { registryId, plan, isDryRun: false, continues, signal })).totals;
  }

  #enforce(registry: Registry): Promise<SweepTotals> {
    return enforcePolicy(this.#context, registry, { signal: this.#signal, pause: () => this.#pause() });
  }

  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!this.#signal.aborted) this.#context.log.error({ err: error }, 'a cleanup stopped early; the next round tries again');
      return false;
    }
  }

  #update(registryId: number, change: Partial<RunState>): void {
    this.#states.set(registryId, { ...this.state(registryId), ...change });
  }

  async #pause(): Promise<void> {
    await delay(pauseMs, undefined, { signal: this.#signal, ref: false }).catch(() => undefined);
  }
}
