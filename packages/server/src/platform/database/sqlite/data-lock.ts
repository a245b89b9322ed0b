import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCodeOf } from './messages.ts';

/** Another process owns the data folder. */
export class DataInUseError extends Error {
  override readonly name = 'DataInUseError';
  readonly dataDir: string;

  constructor(dataDir: string) {
    super(`another process uses the data folder ${dataDir}: stop it first, or choose another folder with --data`);
    this.dataDir = dataDir;
  }
}

export interface DataLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Owns a data folder until released. The lock is a file lock (held by an open transaction on a file of its own), so the
 * kernel drops it with the process, whatever kills it.
 * @throws DataInUseError
 */
export function acquireDataLock(dataDir: string): DataLock {
  const database = new DatabaseSync(join(dataDir, 'berth.lock'), { timeout: 0 });
  try {
    database.exec('pragma journal_mode = delete; begin exclusive');
  } catch (error) {
    database.close();
    if (((sqliteCodeOf(error) ?? 0) & 0xff) === SQLITE_BUSY) throw new DataInUseError(dataDir);
    throw error;
  }
  return {
    release: () => {
      if (database.isOpen) database.close();
    },
  };
}
