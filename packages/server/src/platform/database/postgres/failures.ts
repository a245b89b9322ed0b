import { RegistryError } from '../../../errors/index.ts';

const DISK_FULL = '53100';
/** Serialization failure and deadlock: the transaction did nothing and may run again. */
const retryable = new Set(['40001', '40P01']);
/** Out of connections, shutting down, starting up, or lost. */
const unavailable =
  /^(08...|53[^1]..|57P0[123]|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENOENT|EHOSTUNREACH)$/;

export function isRetryable(error: unknown): boolean {
  return retryable.has(codeOf(error) ?? '');
}

/** Turns a full disk and an unreachable server into catalogued errors; leaves all else alone. */
export function toExpected(error: unknown): unknown {
  const code = codeOf(error);
  if (code === DISK_FULL) return new RegistryError('STORAGE_FULL', { cause: error });
  const isLost = error instanceof Error && /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message);
  if (isLost || (code !== undefined && unavailable.test(code))) {
    return new RegistryError('UNAVAILABLE', {
      message: 'the database does not answer; try again',
      headers: { 'Retry-After': '1' },
      cause: error,
    });
  }
  return error;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
