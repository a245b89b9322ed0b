import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, describe, test } from 'node:test';
import { type Database, type OpenDatabaseOptions, openDatabase } from '@berth/server/database';
import { reusedThreads } from './writer-threads.ts';
import { endPostgresDatabases, postgresDatabases, postgresObstacle } from './postgres-databases.ts';

export type DatabaseLocation = OpenDatabaseOptions['location'];

export interface OpenTestDatabaseOptions {
  /** A module that lists the test's own transactions; the server's by default. */
  readonly transactionsModule?: URL;
  /** PostgreSQL only. */
  readonly maxConnections?: number;
}

/** A real engine. Everything it gives out is closed and removed after the test. */
export interface TestEngine {
  readonly name: 'sqlite' | 'postgres';
  /** A new database with the newest schema. */
  open(t: TestContext, options?: OpenTestDatabaseOptions): Promise<Database>;
  /** A place for a new database without tables. */
  createLocation(t: TestContext): Promise<DatabaseLocation>;
  /** Opens (and migrates) a database at a place: again after a restart, or as a second process on PostgreSQL. */
  openAt(t: TestContext, location: DatabaseLocation, options?: OpenTestDatabaseOptions): Promise<Database>;
}

const serverTransactions = new URL(import.meta.resolve('@berth/server/transactions'));

async function openAt(t: TestContext, location: DatabaseLocation, options: OpenTestDatabaseOptions = {}): Promise<Database> {
  const { transactionsModule = serverTransactions, ...rest } = options;
  const database = await openDatabase({
    location,
    transactionsModule,
    now: Date.now(),
    maxConnections: 4,
    writerThreads: reusedThreads,
    ...rest,
  });
  atEnd(t).closers.push(() => database.close());
  return database;
}

interface Endings {
  readonly closers: (() => Promise<void>)[];
  readonly removers: (() => Promise<void>)[];
}

const endings = new WeakMap<TestContext, Endings>();

/** Databases close after what the test itself registered with `t.after` (servers on them), then their places go. */
function atEnd(t: TestContext): Endings {
  const known = endings.get(t);
  if (known !== undefined) return known;
  const mine: Endings = { closers: [], removers: [] };
  endings.set(t, mine);
  const end = async (): Promise<void> => {
    await Promise.all(mine.closers.map((close) => close()));
    await Promise.all(mine.removers.map((remove) => remove()));
  };
  // Hooks run first in, first out, and one that is added by a hook runs last.
  t.after(() => t.after(end));
  return mine;
}

const sqlite: TestEngine = {
  name: 'sqlite',
  open: async (t, options) => openAt(t, await sqlite.createLocation(t), options),
  createLocation: async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-db-'));
    atEnd(t).removers.push(() => rm(folder, { recursive: true, force: true }));
    return { file: join(folder, 'berth.db') };
  },
  openAt,
};

const postgres: TestEngine = {
  name: 'postgres',
  open: async (t, options) => {
    const databases = await postgresDatabases(serverTransactions);
    const url = await databases.clone();
    atEnd(t).removers.push(() => databases.drop(url));
    return openAt(t, { url }, options);
  },
  createLocation: async (t) => {
    const databases = await postgresDatabases(serverTransactions);
    const url = await databases.create();
    atEnd(t).removers.push(() => databases.drop(url));
    return { url };
  },
  openAt,
};

/**
 * Defines the same tests for every engine. `BERTH_TEST_ENGINES=sqlite` narrows; `BERTH_REQUIRE_POSTGRES=1` makes a
 * missing PostgreSQL a failure instead of a skip.
 */
export function forEachEngine(define: (engine: TestEngine) => void): void {
  const wanted = (process.env['BERTH_TEST_ENGINES'] ?? 'sqlite,postgres').split(',').map((name) => name.trim());
  for (const engine of [sqlite, postgres]) {
    if (!wanted.includes(engine.name)) continue;
    const obstacle = engine.name === 'postgres' ? postgresObstacle() : undefined;
    if (obstacle === undefined) {
      if (engine.name === 'postgres') after(endPostgresDatabases);
      describe(`on ${engine.name}`, () => define(engine));
    } else if (process.env['BERTH_REQUIRE_POSTGRES'] === '1') {
      test('PostgreSQL is there', () => assert.fail(obstacle));
    } else {
      describe(`on ${engine.name}`, { skip: obstacle }, () => {});
    }
  }
}
