/** What templates work with: JSON, as YAML files and functions bring it. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };

export type Dictionary = { readonly [name: string]: Value };

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isDictionary(value: Value): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go's rule: false, 0, nil and whatever is empty are not true. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isDictionary(value)) return Object.keys(value).length > 0;
  return value !== null && value !== false && value !== 0 && value !== '';
}

/** A member; null where there is none. Only an object's own members count. */
export function memberOf(value: Value, name: string): Value {
  if (!isDictionary(value) || !Object.hasOwn(value, name)) return null;
  return value[name] ?? null;
}

/** As Go prints a value (`%v`). Nothing prints as nothing: a key that is missing is no error (acr-tasks 2). */
export function textOf(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number') return numberText(value);
  return isList(value) || isDictionary(value) ? innerText(value) : String(value);
}

function innerText(value: Value): string {
  if (isList(value)) return `[${value.map(innerText).join(' ')}]`;
  if (isDictionary(value)) {
    const members = Object.keys(value)
      .toSorted()
      .map((name) => `${name}:${innerText(value[name] ?? null)}`);
    return `map[${members.join(' ')}]`;
  }
  return value === null ? '<nil>' : textOf(value);
}

/** `%v` of a float: shortest, with an exponent from 1e21 on. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e21) return String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** How people call a kind of value. */
export function kindOf(value: Value): string {
  if (value === null) return 'nil';
  if (isList(value)) return 'list';
  if (isDictionary(value)) return 'map';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
