import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type DatabaseLocation, forEachEngine } from '@berth/testkit';
import { type Kysely, sql } from 'kysely';
import { SchemaTooNewError, migrate } from './migrate.ts';
import { initial } from './migrations/0001-initial.ts';
import { type Migration, migrations } from './migrations/index.ts';
import { kyselyOnPostgres, openPool } from './postgres/index.ts';
import { immediateTransactions, kyselyOnSqlite } from './sqlite/dialect.ts';
import { openWriteConnection } from './sqlite/settings.ts';

type RawDatabase = { readonly db: Kysely<unknown>; close(): Promise<void> };

/** A connection for tests that go behind the interface. */
async function connect(location: DatabaseLocation): Promise<RawDatabase> {
  if ('url' in location) {
    const pool = await openPool({ url: location.url, maxConnections: 1 });
    return { db: kyselyOnPostgres(pool), close: () => pool.end() };
  }
  const connection = openWriteConnection(location.file);
  return { db: kyselyOnSqlite(connection, immediateTransactions), close: async () => connection.close() };
}

async function withRaw<T>(location: DatabaseLocation, use: (db: Kysely<unknown>) => Promise<T>): Promise<T> {
  const raw = await connect(location);
  try {
    return await use(raw.db);
  } finally {
    await raw.close();
  }
}

async function history(db: Kysely<unknown>): Promise<unknown[]> {
  return (await sql`select name, applied_at from schema_migrations order by name`.execute(db)).rows;
}

forEachEngine((engine) => {
  test('migrating again changes nothing', async (t) => {
    const location = await engine.createLocation(t);
    await withRaw(location, async (db) => {
      await migrate(db, engine.name, { now: 1 });
      const first = await history(db);
      await migrate(db, engine.name, { now: 2 });
      assert.deepEqual(await history(db), first);
    });
    await engine.openAt(t, location);
  });

  test('processes that start at once migrate once', async (t) => {
    const location = await engine.createLocation(t);
    const module = new URL('./open-database.ts', import.meta.url).href;
    const options = { location, now: 5, maxConnections: 1 };
    const program = `
      const { openDatabase } = await import(${JSON.stringify(module)});
      const transactionsModule = new URL('./test-transactions.ts', ${JSON.stringify(module)});
      const database = await openDatabase({ ...${JSON.stringify(options)}, transactionsModule });
      await database.check();
      await database.close();
    `;
    const args = ['--conditions=source', '--input-type=module', '--eval', program];
    await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, args)));
    assert.deepEqual(
      await withRaw(location, history),
      migrations.map(({ name }) => ({ name, applied_at: 5 })),
    );
  });

  test('a schema that is newer than the program is refused', async (t) => {
    const location = await engine.createLocation(t);
    await withRaw(location, async (db) => {
      await migrate(db, engine.name, { now: 1 });
      await sql`insert into schema_migrations (name, applied_at) values ('9999-future', 2)`.execute(db);
    });
    const error = await engine.openAt(t, location).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof SchemaTooNewError);
    assert.equal(error.found, '9999-future');
    assert.equal(error.known, migrations.at(-1)?.name);
  });

  test('a migration that fails leaves nothing behind', async (t) => {
    const location = await engine.createLocation(t);
    const broken: Migration = {
      name: '0002-broken',
      up: async (db) => {
        await sql`create table half_made (id integer)`.execute(db);
        throw new Error('halfway');
      },
    };
    await withRaw(location, async (db) => {
      await assert.rejects(migrate(db, engine.name, { now: 1, migrations: [initial, broken] }), /halfway/);
      await assert.rejects(sql`select * from half_made`.execute(db));
      await assert.rejects(sql`select * from schema_migrations`.execute(db));
      await migrate(db, engine.name, { now: 1 });
    });
  });

  test('a history that differs in the middle is refused', async (t) => {
    const location = await engine.createLocation(t);
    const other: Migration = { name: '0000-other', up: async () => {} };
    await withRaw(location, async (db) => {
      await migrate(db, engine.name, { now: 1 });
      await assert.rejects(migrate(db, engine.name, { now: 1, migrations: [other, ...migrations] }), /has "0001-initial" where/);
    });
  });

  test('repositories that were there before attributes are counted and unlocked', async (t) => {
    const location = await engine.createLocation(t);
    await withRaw(location, async (db) => {
      await migrate(db, engine.name, { now: 1, migrations: [initial] });
      for (const row of [
        sql`insert into registries (id, name, anonymous_pull, created_at) values (1, 'local', 0, 1)`,
        sql`insert into data_keys values ('k', 1, 'w', ${Buffer.from('x')}, 1, 1)`,
        sql`insert into repositories (id, registry_id, name, created_at, listed_at) values (1, 1, 'a', 10, 20), (2, 1, 'b', 30, null)`,
        sql`insert into manifests (id, repository_id, digest, media_type, size_bytes, data_key_id, sealed_content, pushed_at)
          values (1, 1, 'sha256:1', 't', 1, 'k', ${Buffer.from('x')}, 21), (2, 1, 'sha256:2', 't', 1, 'k', ${Buffer.from('x')}, 22)`,
        sql`insert into tags (repository_id, name, manifest_id, pushed_at) values (1, 'v1', 1, 23)`,
      ])
        await row.execute(db);
      await migrate(db, engine.name, { now: 2 });
      const repositories = sql`select manifest_count, tag_count, updated_at, write_enabled from repositories order by id`;
      assert.deepEqual((await repositories.execute(db)).rows, [
        { manifest_count: 2, tag_count: 1, updated_at: 20, write_enabled: 1 },
        { manifest_count: 0, tag_count: 0, updated_at: 30, write_enabled: 1 },
      ]);
      const tags = sql`select created_at, updated_at, read_enabled from tags`;
      assert.deepEqual((await tags.execute(db)).rows, [{ created_at: 23, updated_at: 23, read_enabled: 1 }]);
    });
  });

  test('what was stored before sizes were kept is counted', async (t) => {
    const location = await engine.createLocation(t);
    const bytes = Buffer.from('x');
    await withRaw(location, async (db) => {
      await migrate(db, engine.name, { now: 1, migrations: migrations.filter(({ name }) => name < '0009') });
      for (const row of [
        sql`insert into registries (id, name, anonymous_pull, created_at) values (1, 'local', 0, 1)`,
        sql`insert into data_keys values ('k', 1, 'w', ${bytes}, 1, 1)`,
        sql`insert into repositories (id, registry_id, name, created_at) values (1, 1, 'a', 10)`,
        sql`insert into manifests (repository_id, digest, media_type, size_bytes, data_key_id, sealed_content, pushed_at, updated_at)
          values (1, 'sha256:1', 't', 100, 'k', ${bytes}, 21, 21), (1, 'sha256:2', 't', 20, 'k', ${bytes}, 22, 22)`,
        sql`insert into deleted_manifests (registry_id, repository, digest, media_type, size_bytes, data_key_id, sealed_content,
            pushed_at, delete_enabled, write_enabled, list_enabled, read_enabled, deleted_at)
          values (1, 'a', 'sha256:3', 't', 3, 'k', ${bytes}, 23, 1, 1, 1, 1, 24)`,
      ])
        await row.execute(db);
      await migrate(db, engine.name, { now: 2 });
      const { rows } = await sql<{ bytes: number }>`select bytes from stored_deltas order by bytes`.execute(db);
      assert.deepEqual(rows, [{ bytes: 3 }, { bytes: 120 }]);
    });
  });

  test('the schema is the one on record', async (t) => {
    const location = await engine.createLocation(t);
    await (await engine.openAt(t, location)).check();
    const text = await withRaw(location, engine.name === 'sqlite' ? describeSqlite : describePostgres);
    t.assert.fileSnapshot(text, new URL(`./migrations/schema.${engine.name}.txt`, import.meta.url).pathname, {
      serializers: [(value: unknown) => String(value)],
    });
  });
});

async function describeSqlite(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by tbl_name, type desc, name
  `.execute(db);
  return rows.map((row) => `${row.sql.replaceAll(/\s+/g, ' ').trim()}\n`).join('\n');
}

async function describePostgres(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ line: string }>`
    select line from (
      select c.relname as tbl, 1 as part, a.attnum as position, c.relname || '.' || a.attname || ' '
        || format_type(a.atttypid, a.atttypmod)
        || case when l.collname is null or l.collname = 'default' then '' else ' collate ' || l.collname end
        || case when a.attnotnull then ' not null' else '' end
        || case when a.attidentity = '' then '' else ' identity' end as line
      from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_collation l on l.oid = a.attcollation
      where c.relkind = 'r' and a.attnum > 0 and c.relnamespace = 'public'::regnamespace
      union all
      select conrelid::regclass::text, 2, 0, conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where connamespace = 'public'::regnamespace
      union all
      select tablename, 3, 0, indexdef from pg_indexes where schemaname = 'public'
    ) described
    order by tbl collate "C", part, position, line collate "C"
  `.execute(db);
  return `${rows.map((row) => row.line).join('\n')}\n`;
}
