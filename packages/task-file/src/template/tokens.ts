import { placeOf } from '../place.ts';
import { TaskFileError } from '../task-file-error.ts';

/** What a template consists of, as Go's text/template cuts it. Offsets count characters from the beginning. */
export type Token =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | {
      readonly kind: 'open' | 'close' | 'pipe' | 'left' | 'right' | 'declare' | 'assign' | 'comma' | 'dot' | 'space';
      readonly offset: number;
    }
  /** `.Run`, with its dot. */
  | { readonly kind: 'field'; readonly name: string; readonly offset: number }
  /** `$` or `$name`, with its sign. */
  | { readonly kind: 'variable'; readonly name: string; readonly offset: number }
  | { readonly kind: 'word'; readonly name: string; readonly offset: number }
  | { readonly kind: 'string'; readonly value: string; readonly offset: number }
  | { readonly kind: 'number'; readonly value: number; readonly offset: number };

const number = /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const word = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const marks: readonly (readonly [text: string, kind: 'declare' | 'pipe' | 'left' | 'right' | 'assign' | 'comma'])[] = [
  [':=', 'declare'],
  ['|', 'pipe'],
  ['(', 'left'],
  [')', 'right'],
  ['=', 'assign'],
  [',', 'comma'],
];
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  "'": "'",
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** @throws TaskFileError for an action that does not end, and what no template has */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimsNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const end = open === -1 ? source.length : open;
    let text = source.slice(at, end);
    if (trimsNext) text = text.trimStart();
    const trims = open !== -1 && /^-\s/.test(source.slice(open + 2, open + 4));
    if (trims) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text, offset: at });
    if (open === -1) break;
    const action = readAction(source, open + 2 + (trims ? 1 : 0), tokens, open);
    at = action.end;
    trimsNext = action.trims;
  }
  return tokens;
}

interface ActionEnd {
  readonly end: number;
  readonly trims: boolean;
}

function readAction(source: string, start: number, tokens: Token[], opened: number): ActionEnd {
  const comment = /\s*\/\*[\s\S]*?\*\/\s*?(\s-)?\}\}/y;
  comment.lastIndex = start;
  const skipped = comment.exec(source);
  if (skipped !== null) return { end: comment.lastIndex, trims: skipped[1] !== undefined };
  tokens.push({ kind: 'open', offset: opened });
  for (let at = start; at < source.length; ) {
    const trims = /\s-\}\}/y;
    trims.lastIndex = at;
    if (trims.test(source)) {
      tokens.push({ kind: 'close', offset: at });
      return { end: at + 4, trims: true };
    }
    if (source.startsWith('}}', at)) {
      tokens.push({ kind: 'close', offset: at });
      return { end: at + 2, trims: false };
    }
    const [token, end] = readToken(source, at);
    tokens.push(token);
    at = end;
  }
  throw new TaskFileError([{ message: 'the {{ here is not closed by }}', place: placeOf(source, opened) }]);
}

function readToken(source: string, offset: number): [Token, number] {
  const char = source[offset] ?? '';
  if (/\s/.test(char)) return [{ kind: 'space', offset }, offset + 1];
  if (char === '"') return readQuoted(source, offset);
  if (char === '`') return readRaw(source, offset);
  if (char === "'") return readCharacter(source, offset);
  const mark = marks.find(([text]) => source.startsWith(text, offset));
  if (mark !== undefined) return [{ kind: mark[1], offset }, offset + mark[0].length];
  if (char === '.' && !/\d/.test(source[offset + 1] ?? '')) {
    const name = matchAt(word, source, offset + 1);
    return name === undefined
      ? [{ kind: 'dot', offset }, offset + 1]
      : [{ kind: 'field', name, offset }, offset + 1 + name.length];
  }
  if (char === '$') {
    const name = `$${matchAt(word, source, offset + 1) ?? ''}`;
    return [{ kind: 'variable', name, offset }, offset + name.length];
  }
  const name = matchAt(word, source, offset);
  if (name !== undefined) return [{ kind: 'word', name, offset }, offset + name.length];
  const digits = matchAt(number, source, offset);
  if (digits !== undefined)
    return [{ kind: 'number', value: Number(digits.replaceAll('_', '').replace(/^\+/, '')), offset }, offset + digits.length];
  throw new TaskFileError([{ message: `${JSON.stringify(char)} has no meaning in a template`, place: placeOf(source, offset) }]);
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function readQuoted(source: string, offset: number): [Token, number] {
  let value = '';
  for (let at = offset + 1; at < source.length && source[at] !== '\n'; at += 1) {
    const char = source[at] ?? '';
    if (char === '"') return [{ kind: 'string', value, offset }, at + 1];
    if (char !== '\\') {
      value += char;
      continue;
    }
    const [text, length] = readEscape(source, at);
    value += text;
    at += length;
  }
  throw unclosed(source, offset);
}

/** What stands behind a backslash, and how many characters that are. */
function readEscape(source: string, at: number): [string, number] {
  const coded = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/y;
  coded.lastIndex = at;
  const match = coded.exec(source);
  if (match !== null) {
    const code =
      match[4] === undefined ? Number.parseInt(match[1] ?? match[2] ?? match[3] ?? '', 16) : Number.parseInt(match[4], 8);
    if (code <= 0x10_ff_ff) return [String.fromCodePoint(code), match[0].length - 1];
  }
  const escaped = escapes[source[at + 1] ?? ''];
  if (escaped === undefined)
    throw new TaskFileError([{ message: 'there is no such escape in a quoted text', place: placeOf(source, at) }]);
  return [escaped, 1];
}

function readRaw(source: string, offset: number): [Token, number] {
  const end = source.indexOf('`', offset + 1);
  if (end === -1) throw unclosed(source, offset);
  return [{ kind: 'string', value: source.slice(offset + 1, end), offset }, end + 1];
}

/** A Go character is its number. */
function readCharacter(source: string, offset: number): [Token, number] {
  const match = /'(?:[^'\\\n]|\\.)'/uy;
  match.lastIndex = offset;
  const text = match.exec(source)?.[0];
  if (text === undefined) throw unclosed(source, offset);
  const inner = text.slice(1, -1);
  const char = inner.startsWith('\\') ? readEscape(source, offset + 1)[0] : inner;
  return [{ kind: 'number', value: char.codePointAt(0) ?? 0, offset }, offset + text.length];
}

function unclosed(source: string, offset: number): TaskFileError {
  return new TaskFileError([{ message: 'the quoted text that begins here does not end', place: placeOf(source, offset) }]);
}
