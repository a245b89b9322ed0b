// oxlint-disable-next-line no-control-regex -- those are what a line must not hold
const control = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g;

/** A line of a log without what would move the cursor, rename the window or reorder the text (attack 34). */
export function plainLine(text: string): string {
  return text.replaceAll(control, '');
}

const colours = [36, 33, 35, 32, 34, 96, 93, 95];

/** The colours of steps, in the order in which they are first seen. */
export class StepColours {
  readonly #codes = new Map<string, number>();

  paint(step: string, text: string): string {
    let code = this.#codes.get(step);
    if (code === undefined) {
      code = colours[this.#codes.size % colours.length] ?? 36;
      this.#codes.set(step, code);
    }
    return `\u001B[${code}m${text}\u001B[0m`;
  }
}

/** For what is less important than the rest. */
export function faint(text: string): string {
  return `\u001B[2m${text}\u001B[0m`;
}
