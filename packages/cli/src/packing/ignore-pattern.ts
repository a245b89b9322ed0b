/** One line of a `.dockerignore`, compiled as Docker compiles it; `isException` begins with `!` there. */
export interface IgnorePattern {
  /** Without `!`, with plain slashes, as Go's filepath.Clean leaves it. */
  readonly text: string;
  readonly isException: boolean;
  readonly matches: (path: string) => boolean;
}

/** A pattern that Docker would refuse, too. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** @param text cleaned, without `!` @throws PatternError */
export function compilePattern(text: string, isException: boolean): IgnorePattern {
  requireSyntax(text);
  return { text, isException, matches: matcherOf(text) };
}

/** Of a path rather than a pattern. */
export function literalPattern(path: string, isException: boolean): IgnorePattern {
  return { text: path.replaceAll(/[\\*?[\]]/g, String.raw`\$&`), isException, matches: (other) => other === path };
}

/** Whether it matches one path, and whatever is below it, and nothing else. */
export function isPlain({ text }: IgnorePattern): boolean {
  return !/[*?[\]^\\]/.test(withoutTrailingGlob(text));
}

/** `docs/**` begins like everything that it matches. */
export function withoutTrailingGlob(text: string): string {
  return text.replace(/\/\*\*$/, '').replace(/\/\*$/, '');
}

/** What Go's filepath.Match calls bad: an open bracket, a backslash before nothing. */
function requireSyntax(text: string): void {
  let isInClass = false;
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index];
    if (sign === '\\') {
      index += 1;
      if (index >= text.length) throw new PatternError('ends with a backslash that escapes nothing');
    } else if (sign === '[' && !isInClass) {
      isInClass = true;
      if (text[index + 1] === '^') index += 1;
      if (text[index + 1] === ']') throw new PatternError('has an empty pair of brackets');
    } else if (sign === ']') isInClass = false;
  }
  if (isInClass) throw new PatternError('has an opening bracket without a closing one');
}

function matcherOf(pattern: string): (path: string) => boolean {
  const { source, kind } = translate(pattern);
  if (kind === 'exact') return (path) => path === pattern;
  if (kind === 'prefix') {
    const prefix = pattern.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  if (kind === 'suffix') {
    const suffix = pattern.slice(2);
    return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  }
  try {
    const expression = new RegExp(`^${source}$`, 'u');
    return (path) => expression.test(path);
  } catch {
    throw new PatternError('is no pattern');
  }
}

type Kind = 'exact' | 'prefix' | 'suffix' | 'expression';

/** The pattern as a regular expression, or that none is needed. Its oddities are Docker's, and part of what files mean. */
function translate(pattern: string): { readonly source: string; readonly kind: Kind } {
  const signs = [...pattern];
  let source = '';
  let kind: Kind = 'exact';
  for (let index = 0; index < signs.length; index += 1) {
    const sign = signs[index] ?? '';
    const isFirst = index === 0;
    if (sign === '*' && signs[index + 1] === '*') {
      index += signs[index + 2] === '/' ? 2 : 1;
      const isLast = index === signs.length - 1;
      if (!isLast) source += '(?:.*/)?';
      else if (kind !== 'exact') source += '.*';
      if (isFirst) kind = 'suffix';
      else kind = isLast && kind === 'exact' ? 'prefix' : 'expression';
    } else if (sign === '*' || sign === '?') {
      source += sign === '*' ? '[^/]*' : '[^/]';
      kind = 'expression';
    } else if (sign === '\\') {
      index += 1;
      source += escapedByUser(signs[index] ?? '');
      kind = 'expression';
    } else if (sign === '[') {
      const end = endOfClass(signs, index);
      source += classOf(signs.slice(index + 1, end));
      index = end;
      kind = 'expression';
    } else source += escaped(sign);
  }
  return { source, kind };
}

function endOfClass(signs: readonly string[], start: number): number {
  for (let index = start + 1; index < signs.length; index += 1) {
    if (signs[index] === '\\') index += 1;
    else if (signs[index] === ']') return index;
  }
  return signs.length;
}

/** Ranges and `^` mean the same to Go and to JavaScript. */
function classOf(signs: readonly string[]): string {
  const isNegated = signs[0] === '^';
  let source = '';
  for (let index = isNegated ? 1 : 0; index < signs.length; index += 1) {
    const sign = signs[index] ?? '';
    if (sign === '\\') {
      index += 1;
      source += escapedByUser(signs[index] ?? '');
    } else source += sign === '-' ? sign : escaped(sign, true);
  }
  return `[${isNegated ? '^' : ''}${source}]`;
}

/** Docker leaves `^` as it is, where it means the beginning. */
function escaped(sign: string, isInClass = false): string {
  return (isInClass ? /[\\^[\]]/ : /[\\$.*+?()[\]{}|/]/).test(sign) ? `\\${sign}` : sign;
}

/** What Go's regular expressions make of a letter behind a backslash, which Docker hands on. */
const letters: Readonly<Record<string, string>> = { a: String.raw`\x07`, A: '^', z: '$' };

function escapedByUser(sign: string): string {
  if (!/[A-Za-z0-9]/.test(sign)) return /[\\^$.*+?()[\]{}|/-]/.test(sign) ? `\\${sign}` : sign;
  const known = /[dDwWsSbBfnrtv]/.test(sign) ? `\\${sign}` : letters[sign];
  if (known === undefined) throw new PatternError(`escapes ${sign}, which needs none`);
  return known;
}
