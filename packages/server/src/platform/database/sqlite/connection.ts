import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { trusted } from '../trusted.ts';

interface PreparedStatement {
  readonly statement: StatementSync;
  /** Empty for statements that return no rows. */
  readonly columns: readonly string[];
}

/** Enough for every query of the server in all its shapes; lists of varying length would else grow it without end. */
const statementLimit = 500;

/**
 * One synchronous connection with a cache of prepared statements. Integers are JS numbers (reading one beyond 2^53
 * throws), BLOBs are Buffers, rows are plain objects: as `pg` gives them.
 */
export class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** For statements without parameters or rows, such as `begin immediate`. */
  run(sql: string): void {
    const { statement } = this.#prepare(sql);
    statement.run();
  }

  /** Runs a statement and returns its rows, none if it has no columns. */
  query(sql: string, parameters: readonly unknown[]): Record<string, unknown>[] {
    const { statement, columns } = this.#prepare(sql);
    const values = parameters.map(bindable);
    if (columns.length === 0) {
      statement.run(...values);
      return [];
    }
    // Typed as objects, but `returnArrays` below makes each row an array in the order of the columns.
    const rows = trusted<SQLOutputValue[][]>(statement.all(...values));
    return rows.map((row) => toObject(columns, row));
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, columns } = this.#prepare(compiled.sql);
    if (columns.length > 0) {
      return { rows: trusted<R[]>(this.query(compiled.sql, compiled.parameters)) };
    }
    const { changes, lastInsertRowid } = statement.run(...compiled.parameters.map(bindable));
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  /** Part of Kysely's contract, refused here. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('read pages by key instead of streaming: a stream would hold a snapshot open');
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(sql: string): PreparedStatement {
    const cached = this.#statements.get(sql);
    if (cached !== undefined) return cached;
    const statement = this.#database.prepare(sql);
    const columns = statement.columns().map((column) => column.name);
    if (columns.length > 0) statement.setReturnArrays(true);
    const prepared = { statement, columns };
    if (this.#statements.size >= statementLimit) {
      const oldest = this.#statements.keys().next();
      if (!oldest.done) this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** node:sqlite binds every number as a real; integers must arrive as integers (`5 / 2`, `5 || ''`). */
function bindable(value: unknown): SQLInputValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'bigint' || value === null || value instanceof Uint8Array) return value;
  throw new TypeError(`a ${typeof value} cannot be a query parameter; use numbers, strings, bytes or null`);
}

function toObject(columns: readonly string[], row: readonly SQLOutputValue[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index += 1) {
    const value = row[index];
    object[columns[index] ?? ''] =
      value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
  }
  return object;
}
