/**
 * Gives a value the type that its producer promised, where the compiler cannot see it: rows of a query, and what comes
 * back from the writer thread. Nowhere else.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the promised type
export function trusted<T>(value: unknown): T {
  return value as T;
}
