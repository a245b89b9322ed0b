import { sql } from 'kysely';
import type { Engine, Migration } from './migration.ts';

const flags = ['delete_enabled', 'write_enabled', 'list_enabled', 'read_enabled'];
const lockable = ['repositories', 'manifests', 'tags'];

const types: Record<Engine, { readonly integer: string; readonly flag: string }> = {
  sqlite: { integer: 'integer', flag: 'integer' },
  postgres: { integer: 'bigint', flag: 'smallint' },
};

/** What ACR's clients read and change about repositories, tags and manifests: attributes, times and counts. */
function statements({ integer, flag }: (typeof types)[Engine]): readonly string[] {
  const added = (table: string, column: string): string =>
    `alter table ${table} add column ${column} ${integer} not null default 0`;
  return [
    ...lockable.flatMap((table) =>
      flags.map((column) => `alter table ${table} add column ${column} ${flag} not null default 1 check (${column} in (0, 1))`),
    ),
    ...lockable.map((table) => added(table, 'updated_at')),
    added('tags', 'created_at'),
    added('repositories', 'manifest_count'),
    added('repositories', 'tag_count'),
    'update manifests set updated_at = pushed_at',
    'update tags set updated_at = pushed_at, created_at = pushed_at',
    `update repositories set updated_at = coalesce(listed_at, created_at),
       manifest_count = (select count(*) from manifests where manifests.repository_id = repositories.id),
       tag_count = (select count(*) from tags where tags.repository_id = repositories.id)`,
    'create index manifests_updated on manifests (repository_id, updated_at, digest)',
    'create index tags_updated on tags (repository_id, updated_at, name)',
    // Locks are rare: whether a repository holds one is asked before it is deleted.
    'create index manifests_locked on manifests (repository_id) where delete_enabled = 0 or write_enabled = 0',
    'create index tags_locked on tags (repository_id) where delete_enabled = 0 or write_enabled = 0',
  ];
}

export const attributes: Migration = {
  name: '0002-attributes',
  up: async (db, engine) => {
    for (const statement of statements(types[engine])) await sql.raw(statement).execute(db);
  },
};
