import type { Fact, Stamp } from '@berth/api';
import { sql } from 'kysely';
import { type ReadQueries, type RegisterRow, type WriteQueries, prepareRead } from '../platform/database/index.ts';
import type { Register } from './model.ts';

/** Kinds of registers, in the text of a query: as a parameter, SQLite plans anew whenever it uses an index of one kind. */
export const tagKind = sql<'tag'>`'tag'`;
export const manifestKind = sql<'manifest'>`'manifest'`;

/** What a transaction has to know of a registry before it writes the log. */
export interface LogFacts {
  readonly is_replicated: number;
  /** This region. */
  readonly region: string;
  /** The latest clock that the log has; null: it is empty. */
  readonly seen: number | null;
}

export const logFacts = prepareRead<{ registryId: number }, LogFacts>((db, { registryId }) =>
  db
    .selectFrom('registries')
    .leftJoin('deployment', (join) => join.on('deployment.id', '=', 1))
    .select(['registries.is_replicated'])
    .select(({ fn, val }) => fn.coalesce('deployment.region', val('local')).as('region'))
    .select(({ selectFrom }) =>
      selectFrom('changes').select('clock').where('registry_id', '=', registryId).orderBy('clock', 'desc').limit(1).as('seen'),
    )
    .where('registries.id', '=', registryId),
);

const newest = prepareRead<{ registryId: number }, { readonly sequence: number }>((db, { registryId }) =>
  db.selectFrom('changes').select('sequence').where('registry_id', '=', registryId).orderBy('sequence', 'desc').limit(1),
);

/** 0: the log is empty. */
export async function lastSequence(db: ReadQueries, registryId: number): Promise<number> {
  return (await newest.first(db, { registryId }))?.sequence ?? 0;
}

export interface RegisterName {
  readonly registryId: number;
  readonly repository: string;
  readonly kind: Fact['kind'];
  /** Digest, tag; empty for the repository itself. */
  readonly name: string;
}

/** The joined state of a name; undefined: nothing was ever told of it. */
export async function findRegister(db: ReadQueries | WriteQueries, of: RegisterName): Promise<Register | undefined> {
  const row = await db
    .selectFrom('registers')
    .selectAll()
    .where('registry_id', '=', of.registryId)
    .where('repository', '=', of.repository)
    .where('kind', '=', of.kind)
    .where('name', '=', of.name)
    .executeTakeFirst();
  return row && registerOf(row);
}

/** The text is ours. */
export function registerOf(row: RegisterRow): Register {
  return {
    set: { ...stampOf(row.set_clock, row.set_origin), digest: row.digest ?? undefined },
    deleted: stampOf(row.deleted_clock, row.deleted_origin),
    attributes: JSON.parse(row.attributes) as Register['attributes'],
  };
}

function stampOf(clock: number, origin: string): Stamp {
  return { clock, origin };
}
