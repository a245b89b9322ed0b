import type { Fact } from '@berth/api';
import { type RegisterRow, type WriteQueries, lockRows } from '../platform/database/index.ts';
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

async function lockRegister(tx: WriteQueries, of: RegisterName): Promise<Register | undefined> {
  const row = await lockRows(
    tx
      .selectFrom('registers')
      .selectAll()
      .where('registry_id', '=', of.registryId)
      .where('repository', '=', of.repository)
      .where('kind', '=', of.kind)
      .where('name', '=', of.name),
  ).executeTakeFirst();
  return row && registerOf(row);
}

async function insertRegister(tx: WriteQueries, of: RegisterName, register: Register): Promise<boolean> {
  const { registryId: registry_id, repository, kind, name } = of;
  const inserted = await tx
    .insertInto('registers')
    .values({ registry_id, repository, kind, name, ...columnsOf(register) })
    .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'kind', 'name']).doNothing())
    .returning('name')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function updateRegister(tx: WriteQueries, of: RegisterName, register: Register): Promise<void> {
  await tx
    .updateTable('registers')
    .set(columnsOf(register))
    .where('registry_id', '=', of.registryId)
    .where('repository', '=', of.repository)
    .where('kind', '=', of.kind)
    .where('name', '=', of.name)
    .execute();
}

export function columnsOf({
  set,
  deleted,
  attributes,
}: Register): Omit<RegisterRow, 'registry_id' | 'repository' | 'kind' | 'name'> {
  return {
    set_clock: set.clock,
    set_origin: set.origin,
    digest: set.digest ?? null,
    deleted_clock: deleted.clock,
    deleted_origin: deleted.origin,
    attributes: JSON.stringify(attributes),
  };
}
