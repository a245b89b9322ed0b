import { sql } from 'kysely';
import type { Engine, Migration } from './migration.ts';

const textTypes: Record<Engine, string> = { sqlite: 'text', postgres: 'text collate "C"' };

/** What a scanner decided about a manifest, and why. Null: nothing yet. */
export const lifecycle: Migration = {
  name: '0004-lifecycle',
  up: async (db, engine) => {
    const text = textTypes[engine];
    const check = "check (quarantine_state in ('Passed', 'Failed'))";
    await sql.raw(`alter table manifests add column quarantine_state ${text} ${check}`).execute(db);
    await sql.raw(`alter table manifests add column quarantine_details ${text}`).execute(db);
  },
};
