import { compileStringLike } from './string-like.ts';

type Test = (text: string) => boolean;

export interface StringOperator {
  readonly takesList: boolean;
  compile(values: readonly string[]): Test;
}

const bases: Readonly<Record<string, (value: string) => Test>> = {
  equals: (value) => (text) => text === value,
  startswith: (value) => (text) => text.startsWith(value),
  like: compileStringLike,
};

/** The repository's name is one value, so what is said of all and of any values on the left is the same. */
const shape =
  /^(?:for(?:any|all)of(?<right>any|all)values:)?string(?<not>not)?(?<base>equals|startswith|like)(?<ignoreCase>ignorecase)?$/;

/** `StringEquals`, `StringNotLikeIgnoreCase`, `ForAnyOfAnyValues:StringStartsWith` and their kin; undefined if it is none. */
export function findOperator(name: string): StringOperator | undefined {
  const groups = shape.exec(name.toLowerCase())?.groups;
  const base = bases[groups?.['base'] ?? ''];
  if (groups === undefined || base === undefined) return undefined;
  const how = groups['right'] === 'all' ? 'every' : 'some';
  const isNegated = groups['not'] !== undefined;
  const fold = groups['ignoreCase'] === undefined ? (text: string) => text : (text: string) => text.toLowerCase();
  return {
    takesList: groups['right'] !== undefined,
    compile: (values) => {
      const tests = values.map((value) => base(fold(value)));
      return (text) => tests[how]((test) => test(fold(text)) !== isNegated);
    },
  };
}
