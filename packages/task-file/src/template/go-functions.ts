import { type FunctionTable, anyNumber, takes } from './functions.ts';
import { formatText } from './format-text.ts';
import { type Value, isDictionary, isList, isTrue, kindOf, memberOf, textOf } from './values.ts';

/** The functions that Go's text/template has by itself. */
export const goFunctions: FunctionTable = {
  // Both are evaluated by the renderer, no further than needed.
  and: takes(1, anyNumber, (values) => values.find((value) => !isTrue(value)) ?? values.at(-1) ?? null),
  or: takes(1, anyNumber, (values) => values.find(isTrue) ?? values.at(-1) ?? null),
  not: takes(1, 1, ([value = null]) => !isTrue(value)),
  eq: takes(2, anyNumber, ([first = null, ...others]) => others.some((other) => isEqual(first, other))),
  ne: takes(2, 2, ([a = null, b = null]) => !isEqual(a, b)),
  lt: takes(2, 2, ([a = null, b = null]) => compare(a, b) < 0),
  le: takes(2, 2, ([a = null, b = null]) => compare(a, b) <= 0),
  gt: takes(2, 2, ([a = null, b = null]) => compare(a, b) > 0),
  ge: takes(2, 2, ([a = null, b = null]) => compare(a, b) >= 0),
  len: takes(1, 1, ([value = null]) => lengthOf(value)),
  index: takes(1, anyNumber, ([value = null, ...keys]) => keys.reduce(elementOf, value)),
  slice: takes(1, 3, ([value = null, from = 0, to]) => sliceOf(value, from, to)),
  print: takes(0, anyNumber, (values) => values.map(printed).reduce((text, part, index) => text + gap(values, index) + part, '')),
  println: takes(0, anyNumber, (values) => `${values.map(printed).join(' ')}\n`),
  printf: takes(1, anyNumber, ([format = '', ...values]) => formatText(textOf(format), values)),
  html: takes(1, anyNumber, (values) =>
    values
      .map(textOf)
      .join('')
      .replaceAll(/[&<>"'\0]/g, (char) => entities[char] ?? char),
  ),
  js: takes(1, anyNumber, (values) =>
    values
      .map(textOf)
      .join('')
      .replaceAll(/[\\'"<>&=\n\r\t\0]/g, (char) => scriptEscapes[char] ?? char),
  ),
  urlquery: takes(1, anyNumber, (values) => new URLSearchParams({ '': values.map(textOf).join('') }).toString().slice(1)),
};

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\uFFFD',
};
const scriptEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
  '\n': '\\u000A',
  '\r': '\\u000D',
  '\t': '\\u0009',
  '\0': '\\u0000',
};

function isEqual(a: Value, b: Value): boolean {
  if (isList(a) || isDictionary(a) || isList(b) || isDictionary(b)) throw new Error('compares single values, not lists or maps');
  if (a !== null && b !== null && typeof a !== typeof b) throw new Error(`cannot compare a ${kindOf(a)} with a ${kindOf(b)}`);
  return a === b;
}

function compare(a: Value, b: Value): number {
  if ((typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string'))
    return a < b ? -1 : Number(a > b);
  throw new Error(`cannot order a ${kindOf(a)} and a ${kindOf(b)}`);
}

function lengthOf(value: Value): number {
  if (isList(value)) return value.length;
  if (isDictionary(value)) return Object.keys(value).length;
  // Go counts bytes.
  if (typeof value === 'string') return Buffer.byteLength(value);
  throw new Error(`of a ${kindOf(value)} does not exist`);
}

function elementOf(value: Value, key: Value): Value {
  if (isDictionary(value)) return memberOf(value, textOf(key));
  if (value === null) throw new Error('looks into nothing');
  if (typeof key !== 'number' || !Number.isInteger(key)) throw new Error(`takes a whole number for a ${kindOf(value)}`);
  const elements = typeof value === 'string' ? [...Buffer.from(value)] : value;
  if (!isList(elements)) throw new Error(`cannot look into a ${kindOf(value)}`);
  const element = elements[key];
  if (key < 0 || element === undefined) throw new Error(`has no element ${key}: there are ${elements.length}`);
  return element;
}

function sliceOf(value: Value, from: Value, to: Value | undefined): Value {
  if (!isList(value) && typeof value !== 'string') throw new Error(`cannot cut a ${kindOf(value)}`);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const end = to ?? bytes.length;
  if (typeof from !== 'number' || typeof end !== 'number' || from < 0 || end < from || end > bytes.length)
    throw new Error(`from ${textOf(from)} to ${textOf(end)} does not fit ${bytes.length} elements`);
  return typeof value === 'string' ? Buffer.from(value).subarray(from, end).toString() : value.slice(from, end);
}

/** Go puts a space between two that are no texts. */
function gap(values: readonly Value[], index: number): string {
  return index > 0 && typeof values[index] !== 'string' && typeof values[index - 1] !== 'string' ? ' ' : '';
}

function printed(value: Value): string {
  return value === null ? '<nil>' : textOf(value);
}
