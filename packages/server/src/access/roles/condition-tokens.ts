import { RegistryError } from '../../errors/index.ts';

export interface Token {
  readonly kind: 'word' | 'text' | 'attribute' | 'symbol' | 'end';
  /** Of a text without its quotes, of an attribute with its source: `Request[…]`. */
  readonly text: string;
  /** Counted from one, for people. */
  readonly position: number;
}

const maxLength = 8192;

/** In the order in which they are tried; each begins where the one before ended. */
const shapes: readonly { readonly kind: Token['kind']; readonly shape: RegExp }[] = [
  { kind: 'symbol', shape: /&&|\|\||[!(){},]/y },
  { kind: 'text', shape: /'([^']*)'/y },
  { kind: 'attribute', shape: /@([a-z]+\[[^\]']*\])/iy },
  { kind: 'word', shape: /[a-z][a-z0-9]*(?::[a-z0-9]+)?/iy },
];
const space = /\s*/y;

/** @throws INVALID_PARAMETER */
export function conditionTokens(source: string): readonly Token[] {
  if (source.length > maxLength)
    throw conditionError(`it has ${source.length} characters, ${maxLength} are allowed`, maxLength + 1);
  const tokens: Token[] = [];
  let at = skipSpace(source, 0);
  while (at < source.length) {
    const found = tokenAt(source, at);
    tokens.push(found.token);
    at = skipSpace(source, found.end);
  }
  return [...tokens, { kind: 'end', text: '', position: source.length + 1 }];
}

function tokenAt(source: string, at: number): { readonly token: Token; readonly end: number } {
  for (const { kind, shape } of shapes) {
    shape.lastIndex = at;
    const match = shape.exec(source);
    if (match !== null) return { token: { kind, text: match[1] ?? match[0], position: at + 1 }, end: shape.lastIndex };
  }
  const problem = source.charAt(at) === "'" ? 'a quote is opened and never closed' : 'nothing that a condition knows begins here';
  throw conditionError(problem, at + 1);
}

function skipSpace(source: string, at: number): number {
  space.lastIndex = at;
  space.exec(source);
  return space.lastIndex;
}

export function conditionError(problem: string, position: number): RegistryError {
  return new RegistryError('INVALID_PARAMETER', {
    message: `the condition is not valid at character ${position}: ${problem}`,
    target: 'properties.condition',
    detail: { position },
  });
}
