import { kyselyOnSqlite, immediateTransactions } from './dialect.ts';
import type { Database, ReadQueries, TransactionDefinition } from '../database.ts';
import type { Tables } from '../tables.ts';
import { migrate } from '../migrate.ts';
import { registerDirectReads } from '../prepared-read.ts';
import { trusted } from '../trusted.ts';
import { openReadConnection, openWriteConnection } from './settings.ts';
import { WriteQueue, type WriteQueueLimits } from './write-queue.ts';
import type { WriterThreads } from './writer-threads.ts';

export interface OpenSqliteOptions {
  /** Path of the database file; made when missing. Its folder must exist. */
  readonly file: string;
  /** A module whose export `transactions` lists every definition: the writer thread imports it. */
  readonly transactionsModule: URL;
  /** Milliseconds since the epoch, for the schema's history. */
  readonly now: number;
  readonly limits?: WriteQueueLimits;
  /** Default: one for this database. */
  readonly writerThreads?: WriterThreads | undefined;
}

/**
 * Opens the embedded engine and migrates it. One process owns the file: see `acquireDataLock`. The writer thread may
 * still be starting (it loads every transaction); `check` tells when it is there, or why it is not.
 * @throws SchemaTooNewError
 */
export async function openSqlite(options: OpenSqliteOptions): Promise<Database> {
  // The thread loads its modules while this one migrates.
  const queue = new WriteQueue(options.limits, options.writerThreads);
  try {
    await migrateFile(options.file, options.now);
    queue.open(options.file, options.transactionsModule);
  } catch (error) {
    await queue.terminate();
    throw error;
  }
  const connection = openReadConnection(options.file);
  const read: ReadQueries = kyselyOnSqlite<Tables>(connection, undefined);
  registerDirectReads(read, (sql, parameters) => connection.query(sql, parameters));
  return {
    engine: 'sqlite',
    read,
    write: async <Input, Result>(definition: TransactionDefinition<Input, Result>, input: Input): Promise<Result> =>
      // The definition of that name ran in the thread, so the result is its result.
      trusted<Result>(await queue.write(definition.name, input)),
    check: async () => {
      await queue.check();
      connection.query('select 1', []);
    },
    close: async () => {
      connection.close();
      await queue.close();
    },
  };
}

async function migrateFile(file: string, now: number): Promise<void> {
  const connection = openWriteConnection(file);
  try {
    await migrate(kyselyOnSqlite<unknown>(connection, immediateTransactions), 'sqlite', { now });
  } finally {
    connection.close();
  }
}
