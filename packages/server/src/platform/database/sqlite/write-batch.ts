import type { Kysely } from 'kysely';
import { RegistryError } from '../../../errors/index.ts';
import type { TransactionDefinition } from '../database.ts';
import type { Tables } from '../tables.ts';
import { trusted } from '../trusted.ts';
import type { SqliteConnection } from './connection.ts';
import { toExpected } from './failures.ts';
import { encodeFailure, type WriteAnswer, type WriteRequest } from './messages.ts';

export type Definitions = ReadonlyMap<string, TransactionDefinition<never, unknown>>;

export interface BatchWriter {
  /** On the same connection; its transactions are savepoints. */
  readonly db: Kysely<Tables>;
  readonly connection: SqliteConnection;
  readonly definitions: Definitions;
}

/**
 * Group commit: one BEGIN, a savepoint for each request, one COMMIT and so one fsync for all. A request that throws
 * rolls back alone. If the transaction itself fails (disk full), everybody in the batch gets that error: nobody is
 * told of success before the commit.
 */
export async function writeBatch(writer: BatchWriter, requests: readonly WriteRequest[]): Promise<WriteAnswer[]> {
  const { connection } = writer;
  const answers: WriteAnswer[] = [];
  try {
    connection.run('begin immediate');
    for (const request of requests) {
      answers.push(await writeMember(writer, request));
      if (!connection.isInTransaction) throw new Error('the transaction of the batch ended early');
    }
    connection.run('commit');
    return answers;
  } catch (error) {
    if (connection.isInTransaction) connection.run('rollback');
    const expected = toExpected(error);
    if (expected instanceof RegistryError && expected.error === 'STORAGE_FULL') reuseLog(connection);
    const failure = encodeFailure(expected);
    return requests.map((request) => ({ id: request.id, ok: false, failure }));
  }
}

/** Moves the log's pages into the database, so that the log starts over in the space that it has already. */
function reuseLog(connection: SqliteConnection): void {
  try {
    connection.query('pragma wal_checkpoint(passive)', []);
  } catch {
    // Not even that fits: the next failure tries again.
  }
}

async function writeMember({ db, connection, definitions }: BatchWriter, request: WriteRequest): Promise<WriteAnswer> {
  try {
    const definition = definitions.get(request.name);
    if (definition === undefined) throw new Error(`transaction "${request.name}" is missing in transactions.ts`);
    // The definition's own type is lost on its way through the message; `Database.write` checked it.
    const run = trusted<TransactionDefinition<unknown, unknown>['run']>(definition.run);
    const result = await db.transaction().execute((tx) => run(tx, request.input));
    return { id: request.id, ok: true, result };
  } catch (error) {
    const expected = toExpected(error);
    // A full disk ends the whole batch; SQLite may have rolled it back already.
    if (expected !== error || !connection.isInTransaction) throw error;
    return { id: request.id, ok: false, failure: encodeFailure(error) };
  }
}
