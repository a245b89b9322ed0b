import type { NamedValue } from '@berth/api';
import { type Fields, invalid } from '../resources/index.ts';

const maxValues = 500;
export const maxValueLength = 25_600;

/** `values` and `arguments`: the last one of a name counts. @throws INVALID_PARAMETER */
export function readNamedValues(fields: Fields, name: 'values' | 'arguments'): readonly NamedValue[] | undefined {
  const given = fields.objects(name, maxValues)?.map((each) => {
    const key = each.requiredText('name', 256);
    if (/[\s=]/.test(key)) throw invalid(each.at('name'), 'must hold neither spaces nor "="');
    return { name: key, value: each.text('value', maxValueLength) ?? '', isSecret: each.boolean('isSecret') ?? false };
  });
  return given && overlaid([], given);
}

/** Values with those of others in their places. */
export function overlaid<Value extends { readonly name: string }>(
  below: readonly Value[],
  above: readonly Value[],
): readonly Value[] {
  return [...new Map([...below, ...above].map((each) => [each.name, each])).values()];
}
