import type { Place } from '../place.ts';
import type { Problem } from '../task-file-error.ts';

/** What the graph needs to know of a step (acr-tasks 1.4). */
export interface GraphStep {
  readonly id: string;
  /** Undefined or empty: after the step before it in the file. `-`: at once. Else the ids that it waits for. */
  readonly when: readonly string[] | undefined;
  readonly place: Place | undefined;
}

/** By step, the steps that it waits for; in the order of the file. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * Which step waits for which. Later steps may be named, too.
 * @returns the edges, and what is wrong with them: `-` beside ids, unknown ids, a step that waits for itself, ids given twice, cycles
 */
export function buildGraph(steps: readonly GraphStep[]): {
  readonly dependencies: Dependencies;
  readonly problems: readonly Problem[];
} {
  const known = new Set(steps.map(({ id }) => id));
  const problems: Problem[] = [];
  const dependencies = new Map<string, readonly string[]>();
  for (const [index, step] of steps.entries()) {
    const problem = problemOf(step, known);
    if (problem === undefined) dependencies.set(step.id, dependenciesOf(step, steps[index - 1]));
    else problems.push({ message: problem, place: step.place });
  }
  if (problems.length > 0) return { dependencies, problems };
  const cycle = findCycle(dependencies);
  if (cycle !== undefined) {
    const place = steps.find(({ id }) => id === cycle[0])?.place;
    problems.push({ message: `these steps wait for one another: ${cycle.join(' → ')}`, place });
  }
  return { dependencies, problems };
}

function dependenciesOf({ when }: GraphStep, before: GraphStep | undefined): readonly string[] {
  if (when === undefined || when.length === 0) return before === undefined ? [] : [before.id];
  return when[0] === '-' ? [] : when;
}

function problemOf({ id, when = [] }: GraphStep, known: ReadonlySet<string>): string | undefined {
  if (when.includes('-')) return when.length > 1 ? `when of the step ${id} has "-", at once, beside others` : undefined;
  if (when.includes(id)) return `the step ${id} waits for itself`;
  const unknown = when.find((each) => !known.has(each));
  if (unknown !== undefined) return `the step ${id} waits for ${unknown}, which is no step`;
  const twice = when.find((each, index) => when.indexOf(each) !== index);
  return twice === undefined ? undefined : `the step ${id} names ${twice} twice in when`;
}

/** The steps of a cycle, the first again at the end: `a`, `b`, `a`. */
function findCycle(dependencies: Dependencies): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of dependencies.keys()) {
    const path: string[] = [];
    const stack = [{ id: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1);
      if (top === undefined) break;
      if (top.next === 0) path.push(top.id);
      const following = done.has(top.id) ? undefined : dependencies.get(top.id)?.[top.next];
      top.next += 1;
      if (following === undefined) {
        done.add(top.id);
        path.pop();
        stack.pop();
      } else if (path.includes(following)) return [...path.slice(path.indexOf(following)), following];
      else stack.push({ id: following, next: 0 });
    }
  }
  return undefined;
}
