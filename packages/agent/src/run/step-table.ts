import type { RunStep } from '@berth/api';
import type { Step } from '@berth/task-file';

type Change = Partial<Omit<RunStep, 'id' | 'kind'>>;

/** The states of a run's steps; whoever listens gets all of them at each change. */
export class StepTable {
  readonly #states: Map<string, RunStep>;
  readonly #onChange: (states: readonly RunStep[]) => void;

  constructor(steps: readonly Step[], onChange: (states: readonly RunStep[]) => void) {
    this.#onChange = onChange;
    this.#states = new Map(
      steps.map(({ id, action }) => [
        id,
        { id, kind: action.kind, state: 'waiting', startedAt: null, finishedAt: null, exitCode: null, attempts: 0 },
      ]),
    );
    this.#tell();
  }

  get(id: string): RunStep | undefined {
    return this.#states.get(id);
  }

  change(id: string, change: Change): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    this.#states.set(id, { ...state, ...change });
    this.#tell();
  }

  #tell(): void {
    this.#onChange([...this.#states.values()]);
  }
}
