import type { Compilable, CompiledQuery } from 'kysely';
import type { ReadQueries, WriteQueries } from './database.ts';
import { trusted } from './trusted.ts';

/** A query that Kysely compiled once. Runs on `Database.read` and inside transactions, on both engines. */
export interface PreparedRead<Parameters, Row> {
  all(db: ReadQueries | WriteQueries, parameters: Parameters): Promise<Row[]>;
  first(db: ReadQueries | WriteQueries, parameters: Parameters): Promise<Row | undefined>;
}

type DirectRead = (sql: string, parameters: readonly unknown[]) => Record<string, unknown>[];

const directReads = new WeakMap<object, DirectRead>();

/** Lets prepared reads of this Kysely go straight to the connection: its machinery costs ten times the point read. */
export function registerDirectReads(db: ReadQueries, read: DirectRead): void {
  directReads.set(db, read);
}

/** Stands for a parameter while the query is compiled. */
class Slot {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}

interface CompiledRead {
  readonly query: CompiledQuery;
  /** In the order of the SQL: a slot to fill, or a constant of the query. */
  readonly parameters: readonly unknown[];
}

/**
 * Prepares a hot read. `build` is called once for each engine, with placeholders in place of parameters: it may only
 * pass them on as values (no arithmetic, no conditions, no lists).
 *
 *     const findTag = prepareRead<{ repositoryId: number; name: string }, { manifest_id: number }>((db, p) =>
 *       db.selectFrom('tags').select('manifest_id').where('repository_id', '=', p.repositoryId).where('name', '=', p.name));
 *     const tag = await findTag.first(database.read, { repositoryId: 7, name: 'latest' });
 */
export function prepareRead<Parameters extends { readonly [key: string]: unknown }, Row>(
  build: (db: ReadQueries | WriteQueries, parameters: Parameters) => Compilable<Row>,
): PreparedRead<Parameters, Row> {
  // By adapter: one for each opened database, shared by its transactions.
  const compiledByEngine = new WeakMap<object, CompiledRead>();

  const compiledFor = (db: ReadQueries | WriteQueries): CompiledRead => {
    const engine = db.getExecutor().adapter;
    const known = compiledByEngine.get(engine);
    if (known !== undefined) return known;
    const query = build(db, slots()).compile();
    const compiled = { query, parameters: query.parameters };
    compiledByEngine.set(engine, compiled);
    return compiled;
  };

  const run = async (db: ReadQueries | WriteQueries, values: Parameters): Promise<Row[]> => {
    const { query, parameters } = compiledFor(db);
    const filled = parameters.map((parameter) => (parameter instanceof Slot ? values[parameter.key] : parameter));
    const direct = directReads.get(db);
    if (direct !== undefined) return trusted<Row[]>(direct(query.sql, filled));
    return (await db.executeQuery<Row>({ ...query, parameters: filled })).rows;
  };

  return { all: run, first: async (db, values) => (await run(db, values))[0] };

  function slots(): Parameters {
    const proxy = new Proxy(
      {},
      {
        get: (_, key) => {
          if (typeof key !== 'string') throw new TypeError('a prepared read takes its parameters by name');
          return new Slot(key);
        },
      },
    );
    return trusted<Parameters>(proxy);
  }
}

/** The same for an insert or update that hot transactions do. Resolves with what it returns. */
export function prepareWrite<Parameters extends { readonly [key: string]: unknown }, Row>(
  build: (tx: WriteQueries, parameters: Parameters) => Compilable<Row>,
): { run(tx: WriteQueries, parameters: Parameters): Promise<Row[]> } {
  const prepared = prepareRead<Parameters, Row>((db, parameters) => build(trusted<WriteQueries>(db), parameters));
  return { run: (tx, parameters) => prepared.all(tx, parameters) };
}
