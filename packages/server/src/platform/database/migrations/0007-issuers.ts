import { sql } from 'kysely';
import type { Engine, Migration } from './migration.ts';

const types: Record<Engine, { readonly text: string; readonly integer: string; readonly options: string }> = {
  sqlite: { text: 'text', integer: 'integer', options: 'strict' },
  postgres: { text: 'text collate "C"', integer: 'bigint', options: '' },
};

/** Whose tokens are read at all. `jwks`: the keys of an issuer that cannot be asked for them. */
export const issuers: Migration = {
  name: '0007-issuers',
  up: async (db, engine) => {
    const { text, integer, options } = types[engine];
    const table = `create table trusted_issuers (
      issuer ${text} not null primary key,
      jwks ${text},
      created_at ${integer} not null
    ) ${options}`;
    await sql.raw(table).execute(db);
  },
};
