/** One line of git's wire protocol; null: a flush, which ends a section. */
export type PktLine = Buffer | null;

/** What a git server says is not git's wire protocol. */
export class PktLineError extends Error {
  override readonly name = 'PktLineError';
}

/** Four hexadecimal digits of the length, themselves counted, then the line. @throws PktLineError */
export function readPktLines(bytes: Buffer): readonly PktLine[] {
  const lines: PktLine[] = [];
  for (let at = 0; at < bytes.length; ) {
    const digits = bytes.toString('latin1', at, at + 4);
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw new PktLineError('it does not answer as a git server does');
    const length = Number.parseInt(digits, 16);
    // 0000 ends a section, 0001 and 0002 part it.
    if (length < 4) {
      lines.push(null);
      at += 4;
      continue;
    }
    if (at + length > bytes.length) throw new PktLineError('its answer ends in the middle of a line');
    lines.push(bytes.subarray(at + 4, at + length));
    at += length;
  }
  return lines;
}

export function writePktLine(text: string): string {
  return `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
}
