import { type Dictionary, type Value, isDictionary, isList, kindOf, textOf } from '../values.ts';

/** How Sprig's functions read what they are given. They throw what goes on after the function's name. */

/** Most functions on text take anything and print it first. */
export function text(value: Value | undefined): string {
  return textOf(value ?? null);
}

export function whole(value: Value | undefined): number {
  return Math.trunc(decimal(value));
}

/** Sprig takes what is no number as 0. */
export function decimal(value: Value | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  const found = typeof value === 'string' ? Number(value.trim() === '' ? Number.NaN : value) : Number.NaN;
  return Number.isNaN(found) ? 0 : found;
}

export function list(value: Value | undefined): readonly Value[] {
  const given = value ?? null;
  if (given === null) return [];
  if (!isList(given)) throw new Error(`takes a list, not a ${kindOf(given)}`);
  return given;
}

export function dictionary(value: Value | undefined): Dictionary {
  const given = value ?? null;
  if (given === null) return {};
  if (!isDictionary(given)) throw new Error(`takes a map, not a ${kindOf(given)}`);
  return given;
}

/** A number of repetitions: no template needs more. */
export function bounded(value: Value | undefined, most = 100_000): number {
  const count = whole(value);
  if (count > most) throw new Error(`takes ${most} at the most, not ${count}`);
  return Math.max(0, count);
}
