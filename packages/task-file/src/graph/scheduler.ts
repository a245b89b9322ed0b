import type { Dependencies } from './build-graph.ts';

/** When a step runs, by what became of those that it waits for. */
export type Condition = 'success' | 'failure' | 'always';

export interface ScheduledStep {
  readonly id: string;
  readonly condition: Condition;
}

/** How a step ended: `succeeded` also for one that was detached or whose errors are ignored. */
export type StepOutcome = 'succeeded' | 'failed' | 'canceled';

export type StepState = 'waiting' | 'running' | StepOutcome | 'skipped';

/** What to do now. */
export interface Move {
  /** To be started, all at once. */
  readonly start: readonly string[];
  /** Will not run, each with why. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  /** To be stopped: a step failed, and the run goes on for `failure` and `always` steps only. */
  readonly cancel: readonly string[];
  /** Nothing runs or waits any more. */
  readonly isOver: boolean;
}

/**
 * Decides which steps run when (acr-tasks 1.4). A step starts once all that it waits for have ended: after success, unless its
 * condition says otherwise. The first failure ends the run, except for steps with the conditions `failure` and `always`: these
 * count a step that was skipped because of it as failed.
 */
export class Scheduler {
  readonly #steps: ReadonlyMap<string, ScheduledStep>;
  readonly #dependencies: Dependencies;
  readonly #states = new Map<string, StepState>();
  #isStopping = false;
  #hasFailed = false;

  constructor(steps: readonly ScheduledStep[], dependencies: Dependencies) {
    this.#steps = new Map(steps.map((step) => [step.id, step]));
    this.#dependencies = dependencies;
    for (const { id } of steps) this.#states.set(id, 'waiting');
  }

  /** A failure that is not ignored. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  stateOf(id: string): StepState | undefined {
    return this.#states.get(id);
  }

  /** The first move. */
  start(): Move {
    return this.#move([]);
  }

  /** A step that was started has ended. */
  finished(id: string, outcome: StepOutcome): Move {
    if (this.#states.get(id) !== 'running') throw new Error(`the step ${id} does not run`);
    this.#states.set(id, outcome);
    if (outcome === 'succeeded' || this.#hasFailed) return this.#move([]);
    this.#hasFailed = true;
    return this.#move(this.#runningForSuccess());
  }

  /** The run is canceled or out of time: what runs is to be stopped, and nothing more starts. */
  stop(): Move {
    this.#isStopping = true;
    this.#hasFailed = true;
    return this.#move([...this.#states].flatMap(([id, state]) => (state === 'running' ? [id] : [])));
  }

  #runningForSuccess(): readonly string[] {
    return [...this.#states].flatMap(([id, state]) =>
      state === 'running' && this.#steps.get(id)?.condition === 'success' ? [id] : [],
    );
  }

  #move(cancel: readonly string[]): Move {
    const start: string[] = [];
    const skipped: { id: string; reason: string }[] = [];
    // What is skipped may decide about others.
    for (let isChanged = true; isChanged; ) {
      isChanged = false;
      for (const id of this.#steps.keys()) {
        const verdict = this.#states.get(id) === 'waiting' ? this.#judge(id) : undefined;
        if (verdict === undefined) continue;
        isChanged = true;
        this.#states.set(id, verdict === 'start' ? 'running' : 'skipped');
        if (verdict === 'start') start.push(id);
        else skipped.push({ id, reason: verdict });
      }
    }
    const isOver = ![...this.#states.values()].some((state) => state === 'waiting' || state === 'running');
    return { start, skipped, cancel, isOver };
  }

  /** `start`, why it is skipped, or undefined while that is not known. */
  #judge(id: string): string | undefined {
    if (this.#isStopping) return 'the run was stopped';
    const { condition = 'success' } = this.#steps.get(id) ?? {};
    const needed = this.#dependencies.get(id) ?? [];
    if (condition === 'success') {
      const bad = needed.find((each) => isBad(this.#states.get(each)));
      if (bad !== undefined) return `the step ${bad} did not succeed`;
      if (this.#hasFailed) return 'another step failed';
    }
    if (needed.some((each) => this.#states.get(each) === 'waiting' || this.#states.get(each) === 'running')) return undefined;
    if (condition === 'failure' && !needed.some((each) => isBad(this.#states.get(each))))
      return 'nothing that it waits for failed';
    return 'start';
  }
}

function isBad(state: StepState | undefined): boolean {
  return state === 'failed' || state === 'canceled' || state === 'skipped';
}
