const maxLineBytes = 16 * 1024;

/** A line in pieces of at most 16 KiB of UTF-8, never cut inside a character. */
export function cutLine(line: string): readonly string[] {
  // No character takes more than three bytes per unit of UTF-16.
  if (line.length * 3 <= maxLineBytes) return [line];
  const pieces: string[] = [];
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < line.length; ) {
    const point = line.codePointAt(at) ?? 0;
    const size = point < 0x80 ? 1 : point < 0x8_00 ? 2 : point < 0x1_00_00 ? 3 : 4;
    if (bytes + size > maxLineBytes) {
      pieces.push(line.slice(start, at));
      start = at;
      bytes = 0;
    }
    bytes += size;
    at += point < 0x1_00_00 ? 1 : 2;
  }
  pieces.push(line.slice(start));
  return pieces;
}
