import { type Kysely, sql } from 'kysely';
import { type Engine, type Migration, migrations as history } from './migrations/index.ts';

/** The database was written by a newer program: opening it could damage what this one does not understand. */
export class SchemaTooNewError extends Error {
  override readonly name = 'SchemaTooNewError';
  /** The newest migration that the database holds. */
  readonly found: string;
  /** The newest migration that this program knows. */
  readonly known: string;

  constructor(found: string, known: string) {
    super(
      `the database has the schema "${found}", newer than "${known}", the newest that this program knows: ` +
        'start the newer program again, or restore a backup made with this one',
    );
    this.found = found;
    this.known = known;
  }
}

type MigrationTables = { schema_migrations: { name: string; applied_at: number } };

/** Any fixed number: processes of one deployment must agree on it. */
const advisoryLock = 7_262_401_558_301;

/**
 * Brings the schema to the newest migration, in one transaction. Two processes may call it at once: on PostgreSQL an
 * advisory lock, on SQLite the write lock lets one wait for the other.
 * @throws SchemaTooNewError
 */
export async function migrate(
  db: Kysely<unknown>,
  engine: Engine,
  options: { readonly now: number; readonly migrations?: readonly Migration[] },
): Promise<void> {
  const migrations = options.migrations ?? history;
  await db.transaction().execute(async (transaction) => {
    if (engine === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(advisoryLock)})`.execute(transaction);
    const tx = transaction.withTables<MigrationTables>();
    const [text, integer] = engine === 'postgres' ? ['text collate "C"', 'bigint'] : ['text', 'integer'];
    await sql
      .raw(`create table if not exists schema_migrations (name ${text} primary key not null, applied_at ${integer} not null)`)
      .execute(tx);
    const applied = (await tx.selectFrom('schema_migrations').select('name').orderBy('name').execute()).map((row) => row.name);
    refuseForeignHistory(applied, migrations);
    for (const migration of migrations.slice(applied.length)) {
      await migration.up(transaction, engine);
      await tx.insertInto('schema_migrations').values({ name: migration.name, applied_at: options.now }).execute();
    }
  });
}

function refuseForeignHistory(applied: readonly string[], migrations: readonly Migration[]): void {
  const newest = applied.at(-1);
  if (newest === undefined) return;
  const known = new Set(migrations.map((migration) => migration.name));
  if (!known.has(newest)) throw new SchemaTooNewError(newest, migrations.at(-1)?.name ?? 'none');
  applied.forEach((name, index) => {
    if (migrations[index]?.name !== name)
      throw new Error(`the schema's history has "${name}" where this program has another step`);
  });
}
