import type { LogRecord } from '@berth/api';

/** A log as one text (acr-tasks 6.5): lines of the agent begin with their time in UTC, others are as they came; each ends in CRLF. */
export function renderLog(records: readonly LogRecord[]): Buffer {
  return Buffer.from(records.map(renderLine).join(''));
}

function renderLine({ stream, time, text }: LogRecord): string {
  return stream === 'agent' ? `${timeText(time)} ${text}\r\n` : `${text}\r\n`;
}

/** `YYYY/MM/DD HH:MM:SS`. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');
}
