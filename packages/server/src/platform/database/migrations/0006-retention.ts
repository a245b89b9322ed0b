import { sql } from 'kysely';
import type { Engine, Migration } from './migration.ts';

const types: Record<Engine, { readonly text: string; readonly integer: string; readonly flag: string; readonly heap: string }> = {
  sqlite: { text: 'text', integer: 'integer', flag: 'integer', heap: 'strict' },
  postgres: { text: 'text collate "C"', integer: 'bigint', flag: 'smallint', heap: '' },
};

/** When manifests lost their last tag, the rules by which a registry cleans itself up, and its purges by the clock. */
function statements({ text, integer, flag, heap }: (typeof types)[Engine]): readonly string[] {
  return [
    `alter table manifests add column untagged_at ${integer}`,
    'create index manifests_untagged on manifests (untagged_at, id) where untagged_at is not null',
    `create table cleanup_rules (
      registry_id ${integer} not null references registries (id) on delete cascade,
      name ${text} not null,
      definition ${text} not null,
      is_enabled ${flag} not null check (is_enabled in (0, 1)),
      updated_at ${integer} not null,
      primary key (registry_id, name)
    ) ${heap}`,
    `create table purge_schedules (
      registry_id ${integer} not null references registries (id) on delete cascade,
      name ${text} not null,
      schedule ${text} not null,
      request ${text} not null,
      next_at ${integer},
      held_until ${integer},
      last_at ${integer},
      last_result ${text},
      updated_at ${integer} not null,
      primary key (registry_id, name)
    ) ${heap}`,
    'create index purge_schedules_due on purge_schedules (next_at) where next_at is not null',
  ];
}

export const retention: Migration = {
  name: '0006-retention',
  up: async (db, engine) => {
    for (const statement of statements(types[engine])) await sql.raw(statement).execute(db);
  },
};
