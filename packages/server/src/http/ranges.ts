/** `[start, end)` in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const singleRange = /^bytes=(\d*)-(\d*)$/;

/**
 * Reads a `Range` header (RFC 9110, section 14.2) against content of `sizeBytes`.
 *
 * Undefined: serve the whole (no header, another unit, malformed, or several ranges: a server may ignore those, and
 * answering many overlapping ranges would amplify, attack 10). `unsatisfiable`: answer 416.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = header === undefined ? null : singleRange.exec(header.trim());
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : suffix(Number(last), sizeBytes);
  const start = Number(first);
  const end = last === '' ? sizeBytes : Number(last) + 1;
  // A server may also ignore a range that ends before it begins; to serve everything would surprise whoever wrote it.
  if (start >= sizeBytes || end <= start) return 'unsatisfiable';
  return { start, end: Math.min(end, sizeBytes) };
}

function suffix(length: number, sizeBytes: number): ByteRange | 'unsatisfiable' {
  if (length === 0 || sizeBytes === 0) return 'unsatisfiable';
  return { start: Math.max(0, sizeBytes - length), end: sizeBytes };
}

const contentRange = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\*|\d+))?$/;

/**
 * Reads the `Content-Range` of a chunk: `<start>-<end>`, the end included (OCI end-5), or the form of RFC 9110 with a
 * unit. Undefined when it is malformed.
 */
export function parseContentRange(header: string): ByteRange | undefined {
  const match = contentRange.exec(header.trim());
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && end > start ? { start, end } : undefined;
}
