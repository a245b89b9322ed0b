import type { Database } from './database.ts';
import { openPostgres } from './postgres/open-postgres.ts';
import { openSqlite } from './sqlite/open-sqlite.ts';
import type { WriterThreads } from './sqlite/writer-threads.ts';

export interface OpenDatabaseOptions {
  /** `postgres://…` for the shared engine, or the path of a SQLite file. */
  readonly location: { readonly url: string } | { readonly file: string };
  /** A module whose export `transactions` lists every definition: SQLite's writer thread imports it. */
  readonly transactionsModule: URL;
  /** Milliseconds since the epoch, for the schema's history. */
  readonly now: number;
  /** SQLite only: by default each database has a writer thread to itself. */
  readonly writerThreads?: WriterThreads;
  /** PostgreSQL only: connections of this process. */
  readonly maxConnections?: number;
  /** PostgreSQL only: told of connections that broke while idle. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * Opens either engine, migrated to the newest schema.
 * @throws SchemaTooNewError
 */
export function openDatabase({
  location,
  transactionsModule,
  writerThreads,
  ...options
}: OpenDatabaseOptions): Promise<Database> {
  if ('file' in location) return openSqlite({ file: location.file, transactionsModule, now: options.now, writerThreads });
  return openPostgres({ url: location.url, ...options });
}
