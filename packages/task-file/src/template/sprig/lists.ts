import { type FunctionTable, anyNumber, takes } from '../functions.ts';
import { type Value, isTrue } from '../values.ts';
import { bounded, list, whole } from './arguments.ts';

/** Sprig's functions on lists. None changes its argument. */
export const listFunctions: FunctionTable = {
  list: takes(0, anyNumber, (values) => [...values]),
  tuple: takes(0, anyNumber, (values) => [...values]),
  first: takes(1, 1, ([value]) => list(value)[0] ?? null),
  last: takes(1, 1, ([value]) => list(value).at(-1) ?? null),
  rest: takes(1, 1, ([value]) => list(value).slice(1)),
  initial: takes(1, 1, ([value]) => list(value).slice(0, -1)),
  append: takes(2, 2, ([value, added = null]) => [...list(value), added]),
  push: takes(2, 2, ([value, added = null]) => [...list(value), added]),
  prepend: takes(2, 2, ([value, added = null]) => [added, ...list(value)]),
  concat: takes(0, anyNumber, (values) => values.flatMap(list)),
  reverse: takes(1, 1, ([value]) => list(value).toReversed()),
  uniq: takes(1, 1, ([value]) => unique(list(value))),
  compact: takes(1, 1, ([value]) => list(value).filter(isTrue)),
  has: takes(2, 2, ([wanted = null, value]) => list(value).some((each) => isSame(each, wanted))),
  without: takes(1, anyNumber, ([value, ...unwanted]) =>
    list(value).filter((each) => !unwanted.some((other) => isSame(each, other))),
  ),
  chunk: takes(2, 2, ([size, value]) => {
    const [length, all] = [Math.max(1, whole(size)), list(value)];
    return Array.from({ length: Math.ceil(all.length / length) }, (_, index) => all.slice(index * length, (index + 1) * length));
  }),
  until: takes(1, 1, ([count], scene) => steps({ from: 0, to: whole(count), by: whole(count) < 0 ? -1 : 1 }, scene.spend)),
  untilStep: takes(3, 3, ([from, to, by], scene) => steps({ from: whole(from), to: whole(to), by: whole(by) }, scene.spend)),
  seq: takes(1, 3, (values, scene) => {
    const numbers = values.map(whole);
    const [from = 1, to = 1, by] =
      numbers.length === 1 ? [1, numbers[0]] : numbers.length === 2 ? numbers : [numbers[0], numbers[2], numbers[1]];
    const step = by ?? (to < from ? -1 : 1);
    return steps({ from, to: to + Math.sign(step), by: step }, scene.spend).join(' ');
  }),
};

function steps(
  { from, to, by }: { readonly from: number; readonly to: number; readonly by: number },
  spend: (units: number) => void,
): number[] {
  if (by === 0 || (to - from) / by <= 0) return [];
  const length = bounded(Math.ceil((to - from) / by));
  spend(length);
  return Array.from({ length }, (_, index) => from + index * by);
}

function unique(values: readonly Value[]): Value[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = JSON.stringify(value);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function isSame(a: Value, b: Value): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
