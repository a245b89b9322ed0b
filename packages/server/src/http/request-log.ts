import type { Operation } from '@berth/api';
import type { Logger } from 'pino';
import type { RequestRecord } from '../tenancy/index.ts';

/**
 * One line for each request. No path and no query: they may hold credentials and are the operation's business. What other regions
 * ask, they ask every few seconds: of that only failures stand beside what people and their tools do, the rest at level `debug`.
 */
export function logRequest(log: Logger, record: RequestRecord, operation: Operation | undefined): void {
  const isFailed = record.status >= 400 || record.isBroken;
  const level = operation?.permission.kind === 'region' && !isFailed ? 'debug' : 'info';
  if (!log.isLevelEnabled(level)) return;
  const { isBroken, durationMs, ...rest } = record;
  log[level]({ ...rest, durationMs: Math.round(durationMs * 1000) / 1000, ...(isBroken && { isBroken }) }, 'request');
}
