import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { SqliteConnection } from './connection.ts';

/** How a Kysely transaction begins and ends on a connection. */
export interface TransactionStatements {
  readonly begin: readonly string[];
  readonly commit: readonly string[];
  readonly rollback: readonly string[];
}

/** Deferred transactions fail with SQLITE_BUSY_SNAPSHOT when they read, then write (style guide, trap 4). */
export const immediateTransactions: TransactionStatements = {
  begin: ['begin immediate'],
  commit: ['commit'],
  rollback: ['rollback'],
};

/** For the writer, which commits many of them at once. */
export const savepointTransactions: TransactionStatements = {
  begin: ['savepoint member'],
  commit: ['release member'],
  rollback: ['rollback to member', 'release member'],
};

/** A Kysely on one synchronous connection. Whoever opened the connection closes it. */
export function kyselyOnSqlite<T>(connection: SqliteConnection, statements: TransactionStatements | undefined): Kysely<T> {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteConnectionDriver(connection, statements),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new LocklessQueryCompiler(),
  };
  return new Kysely<T>({ dialect });
}

/** SQLite has no row locks and needs none: writers are serial. So `FOR UPDATE` is left out. */
class LocklessQueryCompiler extends SqliteQueryCompiler {
  protected override visitSelectQuery(node: SelectQueryNode): void {
    const { endModifiers: _, ...rest } = node;
    super.visitSelectQuery(rest);
  }
}

class SqliteConnectionDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #statements: TransactionStatements | undefined;

  constructor(connection: SqliteConnection, statements: TransactionStatements | undefined) {
    this.#connection = connection;
    this.#statements = statements;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    this.#run('begin');
  }

  async commitTransaction(): Promise<void> {
    this.#run('commit');
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk ends the transaction by itself; then there is nothing to roll back.
    if (this.#connection.isInTransaction) this.#run('rollback');
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}

  #run(phase: keyof TransactionStatements): void {
    if (this.#statements === undefined) throw new Error('this connection only reads: write through Database.write');
    for (const statement of this.#statements[phase]) this.#connection.run(statement);
  }
}
