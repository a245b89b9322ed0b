import type { Fact } from '@berth/api';
import { type RegisterRow, type WriteQueries, lockRows, prepareRead, prepareWrite } from '../platform/database/index.ts';
import { type Joined, type Register, emptyRegister, join } from './model.ts';
import { type RegisterName, registerOf } from './queries.ts';

/**
 * Joins a fact into the register of its name, which is locked until the transaction ends: of two that tell of one name the
 * second one sees what the first one told (PostgreSQL). Nothing is written when it tells nothing new.
 */
export async function joinRegister(tx: WriteQueries, registryId: number, fact: Fact): Promise<Joined> {
  const { kind, repository, name } = fact;
  const of = { registryId, repository, kind, name };
  for (;;) {
    const known = await lockRegister(tx, of);
    const joined = join(known ?? emptyRegister, fact);
    if (!joined.isAdvanced) return joined;
    if (known !== undefined) {
      await updateRegister(tx, of, joined.register);
      return joined;
    }
    // Otherwise another transaction made it first (PostgreSQL): the next look waits for that one, and joins into it.
    if (await insertRegister(tx, of, joined.register)) return joined;
  }
}

type Key = Pick<RegisterRow, 'registry_id' | 'repository' | 'kind' | 'name'>;

function keyOf({ registryId: registry_id, repository, kind, name }: RegisterName): Key {
  return { registry_id, repository, kind, name };
}

const lockedRow = prepareRead<Key, RegisterRow>((db, { registry_id, repository, kind, name }) =>
  lockRows(
    db
      .selectFrom('registers')
      .selectAll()
      .where('registry_id', '=', registry_id)
      .where('repository', '=', repository)
      .where('kind', '=', kind)
      .where('name', '=', name),
  ),
);

async function lockRegister(tx: WriteQueries, of: RegisterName): Promise<Register | undefined> {
  const row = await lockedRow.first(tx, keyOf(of));
  return row && registerOf(row);
}

const insertRow = prepareWrite<Whole, { readonly name: string }>((tx, row) =>
  tx
    .insertInto('registers')
    .values({
      registry_id: row.registry_id,
      repository: row.repository,
      kind: row.kind,
      name: row.name,
      ...stateOf(row),
    })
    .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'kind', 'name']).doNothing())
    .returning('name'),
);

async function insertRegister(tx: WriteQueries, of: RegisterName, register: Register): Promise<boolean> {
  const inserted = await insertRow.run(tx, { ...keyOf(of), ...columnsOf(register) });
  return inserted.length > 0;
}

const updateRow = prepareWrite<Whole, never>((tx, row) =>
  tx
    .updateTable('registers')
    .set(stateOf(row))
    .where('registry_id', '=', row.registry_id)
    .where('repository', '=', row.repository)
    .where('kind', '=', row.kind)
    .where('name', '=', row.name)
    .$castTo<never>(),
);

async function updateRegister(tx: WriteQueries, of: RegisterName, register: Register): Promise<void> {
  await updateRow.run(tx, { ...keyOf(of), ...columnsOf(register) });
}

type Whole = Pick<RegisterRow, keyof RegisterRow>;
type State = Omit<RegisterRow, keyof Key>;

function stateOf({ set_clock, set_origin, digest, deleted_clock, deleted_origin, attributes }: State): State {
  return { set_clock, set_origin, digest, deleted_clock, deleted_origin, attributes };
}

export function columnsOf({ set, deleted, attributes }: Register): State {
  return {
    set_clock: set.clock,
    set_origin: set.origin,
    digest: set.digest ?? null,
    deleted_clock: deleted.clock,
    deleted_origin: deleted.origin,
    attributes: JSON.stringify(attributes),
  };
}
