import type { Logger } from 'pino';
import type { RequestRecord } from '../tenancy/index.ts';

/** One line for each request. No path and no query: they may hold credentials and are the operation's business. */
export function logRequest(log: Logger, record: RequestRecord): void {
  if (!log.isLevelEnabled('info')) return;
  const { isBroken, durationMs, ...rest } = record;
  log.info({ ...rest, durationMs: Math.round(durationMs * 1000) / 1000, ...(isBroken && { isBroken }) }, 'request');
}
