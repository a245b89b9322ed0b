/**
 * Where a reader of a change log is: `SEQUENCE.CLOCK.TIME` of the last row that it has read. To readers it is a text without a
 * meaning. The clock tells whether the row is still that one: a log that was restored from a backup gives its sequences out
 * again.
 */
export interface Cursor {
  /** 0: before everything. */
  readonly sequence: number;
  readonly clock: number;
  /** When the row was written here (ms), or the cursor of an empty log made. */
  readonly time: number;
}

export function cursorText({ sequence, clock, time }: Cursor): string {
  return `${sequence}.${clock}.${time}`;
}

/** Undefined: it is no cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const found = /^(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/.exec(text);
  if (found === null) return undefined;
  const [sequence = 0, clock = 0, time = 0] = found.slice(1).map(Number);
  return [sequence, clock, time].every(Number.isSafeInteger) ? { sequence, clock, time } : undefined;
}
