import { invalid } from '../resources/index.ts';

export interface FilterToken {
  readonly kind: 'word' | 'text' | 'symbol' | 'end';
  /** Of a text without its quotes. */
  readonly text: string;
  /** Counted from one, for people. */
  readonly position: number;
}

const maxLength = 4096;

/** In the order in which they are tried; each begins where the one before ended. */
const shapes: readonly { readonly kind: FilterToken['kind']; readonly shape: RegExp }[] = [
  { kind: 'symbol', shape: /[(),]/y },
  // Older clients write datetime'…' for a time.
  { kind: 'text', shape: /(?:datetime)?'((?:[^']|'')*)'/iy },
  { kind: 'word', shape: /[A-Za-z0-9_.:+-]+/y },
];
const space = /\s*/y;

/** The words of an OData `$filter`. @throws INVALID_PARAMETER */
export function filterTokens(source: string): readonly FilterToken[] {
  if (source.length > maxLength) throw invalid('$filter', `is longer than ${maxLength} characters`);
  const tokens: FilterToken[] = [];
  let at = skipSpace(source, 0);
  while (at < source.length) {
    const { token, end } = tokenAt(source, at);
    tokens.push(token);
    at = skipSpace(source, end);
  }
  return [...tokens, { kind: 'end', text: '', position: source.length + 1 }];
}

function tokenAt(source: string, at: number): { readonly token: FilterToken; readonly end: number } {
  for (const { kind, shape } of shapes) {
    shape.lastIndex = at;
    const match = shape.exec(source);
    if (match === null) continue;
    const text = kind === 'text' ? (match[1] ?? '').replaceAll("''", "'") : match[0];
    return { token: { kind, text, position: at + 1 }, end: shape.lastIndex };
  }
  throw filterError('nothing that a filter knows begins here', at + 1);
}

function skipSpace(source: string, at: number): number {
  space.lastIndex = at;
  space.exec(source);
  return space.lastIndex;
}

export function filterError(problem: string, position: number): Error {
  return invalid('$filter', `is not valid at character ${position}: ${problem}`);
}
