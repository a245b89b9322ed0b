import type { Static, TSchema } from 'typebox';
import type * as Typebox from 'typebox/value';

/** A value that has the form of a schema as it is, nothing coerced or dropped; or where it first has another. */
export type Fit<T extends TSchema> = { readonly value: Static<T> } | { readonly problem: string };

/** Checks what came from outside. The problem is a path and what is wrong there, such as `/tags/0 must be string`. */
export async function fitSchema<T extends TSchema>(schema: T, value: unknown): Promise<Fit<T>> {
  const { Value } = await loadChecker();
  if (Value.Check(schema, value)) return { value };
  const [first] = Value.Errors(schema, value);
  return { problem: `${first?.instancePath || 'it'} ${first?.message ?? 'does not fit'}` };
}

/** Loaded late: most servers never need it, and every start would pay for it. */
function loadChecker(): Promise<typeof Typebox> {
  // Kept: to look a loaded module up takes as long as some queries.
  return (checker ??= import('typebox/value'));
}

let checker: Promise<typeof Typebox> | undefined;
