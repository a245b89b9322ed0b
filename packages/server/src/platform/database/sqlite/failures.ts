import { RegistryError } from '../../../errors/index.ts';
import { sqliteCodeOf } from './messages.ts';

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
/** A quota (EDQUOT) arrives as a failed write, a full disk can also stop the shared-memory file from growing. */
const SQLITE_IOERR_WRITE = 778;
const SQLITE_IOERR_SHMSIZE = 4874;

/** Turns what a full disk or a foreign lock does to SQLite into catalogued errors; leaves all else alone. */
export function toExpected(error: unknown): unknown {
  const code = sqliteCodeOf(error);
  if (code === undefined) return error;
  if ((code & 0xff) === SQLITE_FULL || code === SQLITE_IOERR_WRITE || code === SQLITE_IOERR_SHMSIZE) {
    return new RegistryError('STORAGE_FULL', { cause: error });
  }
  if ((code & 0xff) === SQLITE_BUSY) {
    return new RegistryError('UNAVAILABLE', {
      message: 'another program holds the lock of the database; try again',
      headers: { 'Retry-After': '1' },
      cause: error,
    });
  }
  return error;
}
