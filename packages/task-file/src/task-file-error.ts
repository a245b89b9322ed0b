import type { Place } from './place.ts';

/** One thing that is wrong, and where. The message goes without a full stop. */
export interface Problem {
  readonly message: string;
  readonly place: Place | undefined;
}

/** A text that is no task file, or a template that does not render. It names everything that was found. */
export class TaskFileError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const inOrder = problems.toSorted((a, b) => orderOf(a) - orderOf(b));
    super(inOrder.map(problemText).join('\n'));
    this.name = 'TaskFileError';
    this.problems = inOrder;
  }
}

/** Lines are shorter than this. */
const lineWeight = 1_000_000;

function orderOf({ place }: Problem): number {
  return place === undefined ? 0 : place.line * lineWeight + place.column;
}

/** `3:7: message`. */
export function problemText({ message, place }: Problem): string {
  return place === undefined ? message : `${place.line}:${place.column}: ${message}`;
}
