import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** `text` for people, `json` one object a line for programs; `auto`: text on a terminal. */
  readonly format: 'auto' | 'json' | 'text';
  /** Stands in every line. */
  readonly region: string;
  /** Where lines go; the error output by default. */
  readonly destination?: DestinationStream;
}

const errorOutput = 2;
const gatheredBytes = 64 * 1024;
const flushMs = 200;

/**
 * Structured lines. A caller passes a static text and fields; headers, bodies, query strings and secrets are never
 * handed to it.
 */
export function createLogger({ level, format, region, destination }: LoggerOptions): Logger {
  // Lines gather for a moment: one write for each would cost more than many requests.
  const output =
    destination ??
    pino.destination({
      dest: errorOutput,
      minLength: gatheredBytes,
      maxWrite: 2 * gatheredBytes,
      sync: false,
      periodicFlush: flushMs,
    });
  const isText = format === 'text' || (format === 'auto' && destination === undefined && isatty(errorOutput));
  return pino(
    {
      level,
      base: { region },
      timestamp: isoTime(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    isText ? { write: (line) => output.write(asText(line)) } : output,
  );
}

/** Many lines fall into one millisecond. */
function isoTime(): () => string {
  let lastMs = -1;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== lastMs) {
      lastMs = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

/** For tests and tools that look at results only. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

const ownFields = new Set(['level', 'time', 'region', 'msg', 'err']);

/** `12:30:59 warn  a message  field=value`, and the stack of an error below. */
function asText(line: string): string {
  const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const fields = Object.entries(record).flatMap(([name, value]) =>
    ownFields.has(name) ? [] : [`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
  );
  const message = typeof record['msg'] === 'string' ? record['msg'] : '';
  const time = String(record['time']).slice(11, 19);
  const text = `${time} ${String(record['level']).padEnd(5)} ${message}${fields.length > 0 ? `  ${fields.join(' ')}` : ''}\n`;
  return text + stackOf(record['err']);
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('stack' in error)) return '';
  const lines = String(error.stack).split('\n');
  return `${lines.map((line) => `         ${line}`).join('\n')}\n`;
}
