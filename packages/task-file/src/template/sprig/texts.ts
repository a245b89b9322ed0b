import { type FunctionTable, anyNumber, takes } from '../functions.ts';
import { quoted } from '../format-text.ts';
import { type Value, isList } from '../values.ts';
import { bounded, list, text, whole } from './arguments.ts';

/** Sprig's functions on texts. The text comes last, so that it can be piped in. */
export const textFunctions: FunctionTable = {
  trim: one((value) => value.trim()),
  trimAll: two((chars, value) => trimEnds(value, chars)),
  trimall: two((chars, value) => trimEnds(value, chars)),
  trimPrefix: two((prefix, value) => (value.startsWith(prefix) ? value.slice(prefix.length) : value)),
  trimSuffix: two((suffix, value) => (suffix !== '' && value.endsWith(suffix) ? value.slice(0, -suffix.length) : value)),
  nospace: one((value) => value.replaceAll(/\s/gu, '')),
  upper: one((value) => value.toUpperCase()),
  lower: one((value) => value.toLowerCase()),
  title: one((value) =>
    value.replaceAll(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  ),
  untitle: one((value) =>
    value.replaceAll(/(^|\s)(\p{L})/gu, (_, before: string, letter: string) => before + letter.toLowerCase()),
  ),
  swapcase: one((value) =>
    [...value].map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())).join(''),
  ),
  initials: one((value) =>
    value
      .split(/\s+/u)
      .map((word) => [...word][0] ?? '')
      .join(''),
  ),
  snakecase: one((value) =>
    wordsOf(value)
      .map((word) => word.toLowerCase())
      .join('_'),
  ),
  kebabcase: one((value) =>
    wordsOf(value)
      .map((word) => word.toLowerCase())
      .join('-'),
  ),
  camelcase: one((value) =>
    wordsOf(value)
      .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
      .join(''),
  ),
  repeat: takes(2, 2, ([count, value], scene) => {
    const times = bounded(count);
    scene.spend(Math.ceil((times * text(value).length) / 10));
    return text(value).repeat(times);
  }),
  substr: takes(3, 3, ([from, to, value]) => {
    const [start, end] = [whole(from), whole(to)];
    const given = text(value);
    if (start < 0) return given.slice(0, end);
    return end < 0 || end > given.length ? given.slice(start) : given.slice(start, end);
  }),
  trunc: takes(2, 2, ([count, value]) => {
    const chars = [...text(value)];
    const length = whole(count);
    return (length < 0 ? chars.slice(Math.max(0, chars.length + length)) : chars.slice(0, length)).join('');
  }),
  abbrev: takes(2, 2, ([count, value]) => {
    const [length, given] = [whole(count), text(value)];
    return length < 4 || given.length <= length ? given : `${given.slice(0, length - 3)}...`;
  }),
  contains: two((part, value) => value.includes(part)),
  hasPrefix: two((prefix, value) => value.startsWith(prefix)),
  hasSuffix: two((suffix, value) => value.endsWith(suffix)),
  replace: takes(3, 3, ([old, fresh, value]) => text(value).replaceAll(text(old), () => text(fresh))),
  plural: takes(3, 3, ([single, many, count]) => (whole(count) === 1 ? text(single) : text(many))),
  quote: takes(0, anyNumber, (values) =>
    values
      .filter((value) => value !== null)
      .map((value) => quoted(text(value)))
      .join(' '),
  ),
  squote: takes(0, anyNumber, (values) =>
    values
      .filter((value) => value !== null)
      .map((value) => `'${text(value)}'`)
      .join(' '),
  ),
  cat: takes(0, anyNumber, (values) =>
    values
      .filter((value) => value !== null)
      .map(text)
      .join(' '),
  ),
  indent: takes(2, 2, ([count, value]) => indented(count, value)),
  nindent: takes(2, 2, ([count, value]) => `\n${indented(count, value)}`),
  splitList: two((separator, value) => value.split(separator)),
  split: two((separator, value) => Object.fromEntries(value.split(separator).map((part, index) => [`_${index}`, part]))),
  splitn: takes(3, 3, ([separator, count, value]) =>
    Object.fromEntries(splitAtMost(text(value), text(separator), whole(count)).map((part, index) => [`_${index}`, part])),
  ),
  join: takes(2, 2, ([separator, value]) => textsOf(value).join(text(separator))),
  sortAlpha: takes(1, 1, ([value]) => textsOf(value).toSorted((a, b) => (a < b ? -1 : Number(a > b)))),
  toString: takes(1, 1, ([value]) => text(value)),
  toStrings: takes(1, 1, ([value]) => textsOf(value)),
};

function one(call: (value: string) => Value): FunctionTable[string] {
  return takes(1, 1, ([value]) => call(text(value)));
}

function two(call: (first: string, value: string) => Value): FunctionTable[string] {
  return takes(2, 2, ([first, value]) => call(text(first), text(value)));
}

function textsOf(value: Value | undefined): string[] {
  return isList(value ?? null)
    ? list(value)
        .filter((each) => each !== null)
        .map(text)
    : [text(value)];
}

function trimEnds(value: string, chars: string): string {
  const set = new Set(chars);
  const all = [...value];
  let [start, end] = [0, all.length];
  while (start < end && set.has(all[start] ?? '')) start += 1;
  while (end > start && set.has(all[end - 1] ?? '')) end -= 1;
  return all.slice(start, end).join('');
}

/** Words as they stand between capitals, spaces and signs. */
function wordsOf(value: string): readonly string[] {
  return value.match(/\p{Lu}+(?!\p{Ll})\p{N}*|\p{Lu}?\p{Ll}+\p{N}*|\p{N}+/gu) ?? [];
}

function indented(count: Value | undefined, value: Value | undefined): string {
  const pad = ' '.repeat(bounded(count, 1000));
  return pad + text(value).replaceAll('\n', `\n${pad}`);
}

function splitAtMost(value: string, separator: string, most: number): readonly string[] {
  const parts = value.split(separator);
  return most > 0 && parts.length > most ? [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)] : parts;
}
