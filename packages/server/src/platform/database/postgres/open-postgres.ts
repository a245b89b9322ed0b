import { sql } from 'kysely';
import type { Pool } from 'pg';
import type { Database, ReadQueries, TransactionDefinition } from '../database.ts';
import { migrate } from '../migrate.ts';
import type { Tables } from '../tables.ts';
import { kyselyOnPostgres } from './dialect.ts';
import { isRetryable } from './failures.ts';

export interface OpenPostgresOptions {
  /** `postgres://user:password@host:port/database?...` as libpq takes it. */
  readonly url: string;
  /** Connections of this process; default 10. */
  readonly maxConnections?: number;
  /** Milliseconds since the epoch, for the schema's history. */
  readonly now: number;
  /** Told of connections that broke while idle; the pool replaces them. */
  readonly onIdleError?: (error: Error) => void;
}

/** A deadlock's victim usually succeeds at once; more often than this it is a bug worth seeing. */
const maxAttempts = 10;
const connectTimeoutMs = 10_000;

/**
 * Opens the shared engine and migrates it.
 * @throws SchemaTooNewError
 */
export async function openPostgres(options: OpenPostgresOptions): Promise<Database> {
  const pool = await openPool(options);
  const read: ReadQueries = kyselyOnPostgres<Tables>(pool);
  try {
    await migrate(kyselyOnPostgres<unknown>(pool), 'postgres', { now: options.now });
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    engine: 'postgres',
    read,
    write: (definition, input) => retrying(() => runTransaction(read, definition, input)),
    check: async () => {
      await sql`select 1`.execute(read);
    },
    close: () => pool.end(),
  };
}

/** Loaded late, so that who runs on SQLite does not pay for it at start. */
export async function openPool(options: Omit<OpenPostgresOptions, 'now'>): Promise<Pool> {
  const { default: pg } = await import('pg');
  const parsers = new Map<number, (text: string) => unknown>([
    [pg.types.builtins.INT8, toSafeNumber],
    // sum() of bigints is numeric.
    [pg.types.builtins.NUMERIC, toSafeNumber],
  ]);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'berth',
    types: { getTypeParser: (oid, format) => parsers.get(oid) ?? pg.types.getTypeParser(oid, format) },
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  return pool;
}

function runTransaction<Input, Result>(
  db: ReadQueries,
  definition: TransactionDefinition<Input, Result>,
  input: Input,
): Promise<Result> {
  return db.transaction().execute((tx) => definition.run(tx, input));
}

async function retrying<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts >= maxAttempts || !isRetryable(error)) throw error;
    }
  }
}

function toSafeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number))
    throw new RangeError(`${text} is beyond what a number holds exactly`);
  return number;
}
