/** Where a command's result goes. */
export interface Output {
  readonly isJson: boolean;
  readonly write: (line: string) => void;
}

/** Prints a result for people, or whole as JSON for programs. */
export function show(output: Output, result: unknown, text: string): void {
  output.write(output.isJson ? JSON.stringify(result) : text);
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1536` as `1.5 KiB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** `50MiB` as a number of bytes; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB)?$/.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * 1024 ** units.indexOf(match[2] ?? 'B'));
}
