import type { RunFilter } from '../runs/index.ts';
import { type FilterToken, filterError, filterTokens } from './run-filter-tokens.ts';
import { type RunCondition, comparisonOf, containment } from './run-comparison.ts';

const everything: RunCondition = { holds: () => true, narrowed: {} };
const maxDepth = 20;

/**
 * Reads the OData `$filter` of a list of runs (acr-tasks 6.3): comparisons and `contains`, joined by `and` and `or`.
 * @throws INVALID_PARAMETER with the place of what is wrong
 */
export function parseRunFilter(source: string | null): RunCondition {
  if (source === null || source.trim() === '') return everything;
  const reader = new Reader(filterTokens(source));
  const condition = readEither(reader, 0);
  const rest = reader.next();
  if (rest.kind !== 'end') throw filterError('expected "and", "or" or the end', rest.position);
  return condition;
}

class Reader {
  readonly #tokens: readonly FilterToken[];
  #at = 0;

  constructor(tokens: readonly FilterToken[]) {
    this.#tokens = tokens;
  }

  next(): FilterToken {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a filter has no end');
    this.#at += 1;
    return token;
  }

  /** Takes the next token if it is this word or symbol. */
  takes(text: string): boolean {
    const token = this.#tokens[this.#at];
    const isIt = token !== undefined && token.kind !== 'text' && token.text.toLowerCase() === text;
    if (isIt) this.#at += 1;
    return isIt;
  }

  expect(text: string): void {
    const token = this.next();
    if (token.kind === 'text' || token.text.toLowerCase() !== text) throw filterError(`expected "${text}"`, token.position);
  }
}

function readEither(reader: Reader, depth: number): RunCondition {
  const first = readAll(reader, depth);
  const all = [first];
  while (reader.takes('or')) all.push(readAll(reader, depth));
  return all.length === 1 ? first : { holds: (run) => all.some(({ holds }) => holds(run)), narrowed: {} };
}

function readAll(reader: Reader, depth: number): RunCondition {
  const all = [readOne(reader, depth)];
  while (reader.takes('and')) all.push(readOne(reader, depth));
  return {
    holds: (run) => all.every(({ holds }) => holds(run)),
    // Of two that narrow the same, one is enough for the database.
    narrowed: Object.assign({}, ...all.map(({ narrowed }) => narrowed)) as Partial<RunFilter>,
  };
}

function readOne(reader: Reader, depth: number): RunCondition {
  if (reader.takes('(')) {
    if (depth === maxDepth) throw filterError(`more than ${maxDepth} brackets are open`, 1);
    const inner = readEither(reader, depth + 1);
    reader.expect(')');
    return inner;
  }
  if (reader.takes('contains')) {
    reader.expect('(');
    const name = reader.next();
    reader.expect(',');
    const value = reader.next();
    reader.expect(')');
    return containment(name, value);
  }
  return comparisonOf(reader.next(), reader.next(), reader.next());
}
