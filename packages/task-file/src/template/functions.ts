import type { Value } from './values.ts';

/** What a template can call. It throws an Error, whose message goes on after the function's name, for what it cannot take. */
export interface TemplateFunction {
  /** How many arguments at the least, and at the most. */
  readonly takes: readonly [least: number, most: number];
  readonly call: (values: readonly Value[], scene: FunctionScene) => Value;
}

/** What functions know of the render that calls them. */
export interface FunctionScene {
  /** Counts work; throws when there was too much of it. */
  spend(units: number): void;
}

export type FunctionTable = Readonly<Record<string, TemplateFunction>>;

/** A function of a fixed number of arguments, or of a number between two. */
export function takes(least: number, most: number, call: TemplateFunction['call']): TemplateFunction {
  return { takes: [least, most], call };
}

export const anyNumber = Number.POSITIVE_INFINITY;
