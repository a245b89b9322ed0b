import { type Logger, pino, stdSerializers } from 'pino';

export type { Logger } from 'pino';

/** Structured lines on the error output. Headers, bodies and secrets are never handed to it. */
export function createLogger(level: string): Logger {
  // Lines gather for up to 4 KiB or a moment: one write for each would cost more than many requests.
  const destination = pino.destination({ dest: 2, minLength: 4096, sync: false, periodicFlush: 200 });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: stdSerializers.err } }, destination);
}

/** For tests and tools that look at results only. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
