import { type CompiledQuery, type DatabaseConnection, Kysely, PostgresDialect, type QueryResult } from 'kysely';
import type { Pool } from 'pg';
import { toExpected } from './failures.ts';

/** A Kysely on a pool, whose errors are catalogued where they can be. Whoever opened the pool ends it. */
export function kyselyOnPostgres<T>(pool: Pool): Kysely<T> {
  return new Kysely<T>({ dialect: new CataloguingDialect({ pool }) });
}

/** Connecting and querying fail with `UNAVAILABLE` and `STORAGE_FULL` rather than with bare driver errors. */
class CataloguingDialect extends PostgresDialect {
  override createDriver(): ReturnType<PostgresDialect['createDriver']> {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = async (options) => {
      try {
        return catalogued(await acquire(options));
      } catch (error) {
        throw toExpected(error);
      }
    };
    driver.destroy = async () => {};
    return driver;
  }
}

const marked = new WeakSet<DatabaseConnection>();

function catalogued(connection: DatabaseConnection): DatabaseConnection {
  if (marked.has(connection)) return connection;
  marked.add(connection);
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    try {
      return await execute<R>(query);
    } catch (error) {
      throw toExpected(error);
    }
  };
  return connection;
}
