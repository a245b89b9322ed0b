import { randomBytes } from 'node:crypto';
import { openDatabase } from '@berth/server/database';
import { kyselyOnPostgres, openPool } from '@berth/server/database/postgres';
import { sql } from 'kysely';
import { type PostgresCluster, findPostgresPrograms, startPostgresCluster } from './postgres-cluster.ts';

/** Why PostgreSQL cannot be tested here; undefined when it can. */
export function postgresObstacle(): string | undefined {
  if (process.env['BERTH_TEST_POSTGRES_URL'] !== undefined || findPostgresPrograms() !== undefined) return undefined;
  return 'PostgreSQL is not installed: install it, or set BERTH_TEST_POSTGRES_URL to a server that tests may use';
}

export interface PostgresDatabases {
  /** URL of a new database with the newest schema. */
  clone(): Promise<string>;
  /** URL of a new database without tables. */
  create(): Promise<string>;
  drop(url: string): Promise<void>;
  end(): Promise<void>;
}

let shared: Promise<PostgresDatabases> | undefined;

/** The databases of this test process: on the server that BERTH_TEST_POSTGRES_URL names, or on a private one. */
export function postgresDatabases(transactionsModule: URL): Promise<PostgresDatabases> {
  shared ??= start(transactionsModule);
  return shared;
}

/** Once at the end of a test file; more often does no harm. */
export async function endPostgresDatabases(): Promise<void> {
  const ending = shared;
  shared = undefined;
  await (await ending)?.end();
}

async function start(transactionsModule: URL): Promise<PostgresDatabases> {
  const given = process.env['BERTH_TEST_POSTGRES_URL'];
  const cluster = given === undefined ? await startPrivateCluster() : undefined;
  const serverUrl = cluster?.url ?? given ?? '';
  const prefix = `berth_${randomBytes(6).toString('hex')}`;
  const template = `${prefix}_template`;
  let count = 0;
  const urlOf = (database: string): string => {
    const [beforePath] = /^[^:]+:\/\/[^/]*/.exec(serverUrl) ?? [''];
    const query = serverUrl.includes('?') ? serverUrl.slice(serverUrl.indexOf('?')) : '';
    return `${beforePath}/${database}${query}`;
  };
  const run = async (statement: string): Promise<void> => {
    const pool = await openPool({ url: serverUrl, maxConnections: 1 });
    try {
      await sql.raw(statement).execute(kyselyOnPostgres<unknown>(pool));
    } finally {
      await pool.end();
    }
  };
  const make = async (from: string): Promise<string> => {
    count += 1;
    const database = `${prefix}_${count}`;
    await run(`create database ${database} template ${from}`);
    return urlOf(database);
  };
  const drop = async (url: string): Promise<void> => {
    await run(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
  };
  await run(`create database ${template}`);
  const migrated = await openDatabase({ location: { url: urlOf(template) }, transactionsModule, now: 0 });
  await migrated.close();
  const end = async (): Promise<void> => {
    await run(`drop database ${template}`);
    await cluster?.stop();
  };
  return { clone: () => make(template), create: () => make('template1'), drop, end };
}

async function startPrivateCluster(): Promise<PostgresCluster> {
  const programs = findPostgresPrograms();
  if (programs === undefined) throw new Error('PostgreSQL is not installed');
  return startPostgresCluster(programs);
}
