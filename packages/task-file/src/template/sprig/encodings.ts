import { createHash } from 'node:crypto';
import { type FunctionTable, anyNumber, takes } from '../functions.ts';
import { type Value, isList, isTrue } from '../values.ts';
import { text } from './arguments.ts';

/** Sprig's defaults, encodings and hashes. `b64enc` of nothing is nothing (acr-tasks 2). */
export const encodingFunctions: FunctionTable = {
  default: takes(1, 2, ([fallback = null, value = null]) => (isTrue(value) ? value : fallback)),
  empty: takes(1, 1, ([value = null]) => !isTrue(value)),
  coalesce: takes(0, anyNumber, (values) => values.find(isTrue) ?? null),
  all: takes(0, anyNumber, (values) => values.every(isTrue)),
  any: takes(0, anyNumber, (values) => values.some(isTrue)),
  ternary: takes(3, 3, ([yes = null, no = null, condition = null]) => (isTrue(condition) ? yes : no)),
  fail: takes(1, 1, ([message]) => {
    throw new Error(`says: ${text(message)}`);
  }),
  required: takes(2, 2, ([message, value = null]) => {
    if (value === null || value === '') throw new Error(`says: ${text(message)}`);
    return value;
  }),
  toJson: takes(1, 1, ([value = null]) => JSON.stringify(sorted(value))),
  toRawJson: takes(1, 1, ([value = null]) => JSON.stringify(sorted(value))),
  toPrettyJson: takes(1, 1, ([value = null]) => JSON.stringify(sorted(value), undefined, 2)),
  fromJson: takes(1, 1, ([value]) => {
    try {
      return JSON.parse(text(value)) as Value;
    } catch {
      return null;
    }
  }),
  b64enc: takes(1, 1, ([value]) => Buffer.from(text(value)).toString('base64')),
  b64dec: takes(1, 1, ([value]) => {
    if (!/^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(text(value))) throw new Error('takes a text in base64');
    return Buffer.from(text(value), 'base64').toString();
  }),
  sha1sum: takes(1, 1, ([value]) => hash('sha1', value)),
  sha256sum: takes(1, 1, ([value]) => hash('sha256', value)),
  sha512sum: takes(1, 1, ([value]) => hash('sha512', value)),
  base: takes(1, 1, ([value]) => text(value).replace(/\/+$/, '').split('/').at(-1) ?? ''),
  dir: takes(1, 1, ([value]) => text(value).replace(/\/*[^/]*$/, '') || (text(value).startsWith('/') ? '/' : '.')),
  ext: takes(1, 1, ([value]) => /\.[^./]*$/.exec(text(value))?.[0] ?? ''),
  isAbs: takes(1, 1, ([value]) => text(value).startsWith('/')),
};

function hash(algorithm: string, value: Value | undefined): string {
  return createHash(algorithm).update(text(value)).digest('hex');
}

/** Go writes the members of maps in the order of their names. */
function sorted(value: Value): Value {
  if (isList(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((name) => [name, sorted(value[name as keyof typeof value] ?? null)]),
  );
}
