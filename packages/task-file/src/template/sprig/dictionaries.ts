import { type FunctionTable, anyNumber, takes } from '../functions.ts';
import { type Dictionary, type Value, isDictionary, memberOf } from '../values.ts';
import { dictionary, text } from './arguments.ts';

/** Sprig's functions on maps. None changes its argument, so `set` and `unset` are not among them. */
export const dictionaryFunctions: FunctionTable = {
  dict: takes(0, anyNumber, (values) => fromPairs(values)),
  get: takes(2, 2, ([value, name]) => {
    const found = memberOf(dictionary(value), text(name));
    return found ?? '';
  }),
  hasKey: takes(2, 2, ([value, name]) => Object.hasOwn(dictionary(value), text(name))),
  keys: takes(1, anyNumber, (values) => values.flatMap((value) => Object.keys(dictionary(value)).toSorted())),
  values: takes(1, 1, ([value]) => {
    const given = dictionary(value);
    return Object.keys(given)
      .toSorted()
      .map((name) => given[name] ?? null);
  }),
  pick: takes(1, anyNumber, ([value, ...names]) => select(dictionary(value), (name) => names.map(text).includes(name))),
  omit: takes(1, anyNumber, ([value, ...names]) => select(dictionary(value), (name) => !names.map(text).includes(name))),
  pluck: takes(1, anyNumber, ([name, ...values]) =>
    values.map(dictionary).flatMap((value) => (Object.hasOwn(value, text(name)) ? [memberOf(value, text(name))] : [])),
  ),
  merge: takes(1, anyNumber, (values) =>
    values.map(dictionary).reduceRight<Dictionary>((all, value) => overlaid(all, value), {}),
  ),
  mergeOverwrite: takes(1, anyNumber, (values) =>
    values.map(dictionary).reduce<Dictionary>((all, value) => overlaid(all, value), {}),
  ),
  dig: takes(3, anyNumber, (values) => {
    const [start, fallback] = [dictionary(values.at(-1)), values.at(-2) ?? null];
    let value: Value = start;
    for (const name of values.slice(0, -2)) {
      if (!isDictionary(value) || !Object.hasOwn(value, text(name))) return fallback;
      value = memberOf(value, text(name));
    }
    return value;
  }),
  deepCopy: takes(1, 1, ([value = null]) => value),
};

function fromPairs(values: readonly Value[]): Dictionary {
  const pairs: [string, Value][] = [];
  for (let index = 0; index < values.length; index += 2) pairs.push([text(values[index]), values[index + 1] ?? '']);
  return Object.fromEntries(pairs);
}

function select(value: Dictionary, isWanted: (name: string) => boolean): Dictionary {
  return Object.fromEntries(Object.entries(value).filter(([name]) => isWanted(name)));
}

/** Members of the second win; maps in both are joined. */
function overlaid(under: Dictionary, over: Dictionary): Dictionary {
  const all: Record<string, Value> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const before = memberOf(under, name);
    all[name] = isDictionary(before) && isDictionary(value) ? overlaid(before, value) : value;
  }
  return all;
}
