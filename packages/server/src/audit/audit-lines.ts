import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Logger } from '../platform/logger.ts';

/** A disk or a pipe that is slower than the trail fills memory no further. */
const maxWaitingBytes = 16 * 1024 * 1024;

export interface AuditLines {
  /** Lines that were left out because whoever takes them did not keep up. */
  readonly dropped: () => number;
  write(line: string): void;
  close(): Promise<void>;
}

/** Appends to a file, or writes to standard output when it is `-`. */
export function openLines(target: string, log: Logger): AuditLines {
  if (target === '-') return linesTo(process.stdout, async () => {});
  const file = createWriteStream(target, { flags: 'a', mode: 0o600 });
  // The trail in the database goes on; a disk that is full must not end the server.
  file.on('error', (error) => log.error({ err: error, file: target }, 'the audit log cannot be written'));
  return linesTo(file, () => new Promise((resolve) => void file.end(() => resolve())));
}

export function linesTo(stream: Writable, close: () => Promise<void>): AuditLines {
  let dropped = 0;
  return {
    dropped: () => dropped,
    write: (line) => {
      if (stream.writable && stream.writableLength < maxWaitingBytes) stream.write(`${line}\n`);
      else dropped += 1;
    },
    close,
  };
}
