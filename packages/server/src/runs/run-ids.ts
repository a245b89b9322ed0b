/** Short, lower-case and countable, as ACR's: `ca1`, `ca2`, …, `caz`, `cb0`, …, `czz`, `c100`. */
export function runIdOf(count: number): string {
  return `c${(firstNumber + count - 1).toString(36)}`;
}

const firstNumber = Number.parseInt('a1', 36);
const pattern = /^[a-z][a-z0-9]{1,15}$/;

/** Whether a text could be the id of a run: all else need not be looked for. */
export function isRunId(text: string): boolean {
  return pattern.test(text);
}
