import type { Static, TSchema } from 'typebox';
import type * as Typebox from 'typebox/compile';

/** A value that has the form of a schema as it is, nothing coerced or dropped; or where it first has another. */
export type Fit<T extends TSchema> = { readonly value: Static<T> } | { readonly problem: string };

/** Checks what came from outside. The problem is a path and what is wrong there, such as `/tags/0 must be string`. */
export async function fitSchema<T extends TSchema>(schema: T, value: unknown): Promise<Fit<T>> {
  const { Compile } = await loadCompiler();
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  if (validator.Check(value)) return { value: value as Static<T> };
  const [first] = validator.Errors(value);
  return { problem: `${first?.instancePath || 'it'} ${first?.message ?? 'does not fit'}` };
}

/** Made when a schema is first used: a check that is compiled costs a hundredth of one that reads its schema. */
const validators = new WeakMap<TSchema, Typebox.Validator>();

/** Loaded late: most servers never need it, and every start would pay for it. */
function loadCompiler(): Promise<typeof Typebox> {
  // Kept: to look a loaded module up takes as long as some queries.
  return (compiler ??= import('typebox/compile'));
}

let compiler: Promise<typeof Typebox> | undefined;
