import { type FunctionTable, anyNumber, takes } from '../functions.ts';
import { type Value, isList, kindOf } from '../values.ts';
import { decimal, text, whole } from './arguments.ts';

/** Sprig's functions on numbers: whole ones, unless the name ends in f. */
export const numberFunctions: FunctionTable = {
  add: takes(1, anyNumber, (values) => values.reduce<number>((sum, value) => sum + whole(value), 0)),
  add1: takes(1, 1, ([value]) => whole(value) + 1),
  sub: takes(2, 2, ([a, b]) => whole(a) - whole(b)),
  mul: takes(1, anyNumber, (values) => values.reduce<number>((product, value) => product * whole(value), 1)),
  div: takes(2, 2, ([a, b]) => Math.trunc(whole(a) / divisor(b))),
  mod: takes(2, 2, ([a, b]) => whole(a) % divisor(b)),
  max: takes(1, anyNumber, (values) => Math.max(...values.map(whole))),
  min: takes(1, anyNumber, (values) => Math.min(...values.map(whole))),
  addf: takes(1, anyNumber, (values) => values.reduce<number>((sum, value) => sum + decimal(value), 0)),
  subf: takes(2, anyNumber, ([first, ...others]) =>
    others.reduce<number>((left, value) => left - decimal(value), decimal(first)),
  ),
  mulf: takes(1, anyNumber, (values) => values.reduce<number>((product, value) => product * decimal(value), 1)),
  divf: takes(2, anyNumber, ([first, ...others]) =>
    others.reduce<number>((left, value) => left / decimal(value), decimal(first)),
  ),
  maxf: takes(1, anyNumber, (values) => Math.max(...values.map(decimal))),
  minf: takes(1, anyNumber, (values) => Math.min(...values.map(decimal))),
  floor: takes(1, 1, ([value]) => Math.floor(decimal(value))),
  ceil: takes(1, 1, ([value]) => Math.ceil(decimal(value))),
  round: takes(2, 3, ([value, places, roundOn = 0.5]) => {
    const scale = 10 ** whole(places);
    const scaled = scale * decimal(value);
    const part = scaled - Math.trunc(scaled);
    return (part >= decimal(roundOn) ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
  }),
  int: takes(1, 1, ([value]) => whole(value)),
  int64: takes(1, 1, ([value]) => whole(value)),
  float64: takes(1, 1, ([value]) => decimal(value)),
  atoi: takes(1, 1, ([value]) => (/^[+-]?\d+$/.test(text(value)) ? Number(text(value)) : 0)),
  toDecimal: takes(1, 1, ([value]) => (/^[0-7]+$/.test(text(value)) ? Number.parseInt(text(value), 8) : 0)),
  kindOf: takes(1, 1, ([value = null]) => goKind(value)),
  kindIs: takes(2, 2, ([kind, value = null]) => goKind(value) === text(kind)),
};

function divisor(value: Value | undefined): number {
  const found = whole(value);
  if (found === 0) throw new Error('divides by zero');
  return found;
}

function goKind(value: Value): string {
  return value === null ? 'invalid' : isList(value) ? 'slice' : kindOf(value);
}
