import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export type ReadQueries = Kysely<Tables>;
export type WriteQueries = Transaction<Tables>;

/**
 * A named unit of writing. Its input and result must survive `structuredClone`: on SQLite the whole function runs in
 * the writer thread as one message (so a commit's fsync never stalls the event loop, and the function cannot await
 * anything but the database); on PostgreSQL it runs in a pooled transaction of this process. It may run again after a
 * serialization failure or deadlock, so it has no effects outside `tx`.
 */
export interface TransactionDefinition<Input, Result> {
  readonly name: string;
  readonly run: (tx: WriteQueries, input: Input) => Promise<Result>;
}

export function defineTransaction<Input, Result>(
  name: string,
  run: (tx: WriteQueries, input: Input) => Promise<Result>,
): TransactionDefinition<Input, Result> {
  return { name, run };
}

export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  /**
   * Reads of committed state. On SQLite they run inline on a read-only connection and see every write whose promise has
   * resolved. Never write through it.
   */
  readonly read: ReadQueries;
  /**
   * Runs a transaction and resolves once it is durable. A `RegistryError` thrown inside rolls back and rejects as the
   * same error here. No space left rejects with `STORAGE_FULL`.
   */
  write<Input, Result>(definition: TransactionDefinition<Input, Result>, input: Input): Promise<Result>;
  /** Proves that the database answers. */
  check(): Promise<void>;
  close(): Promise<void>;
}
