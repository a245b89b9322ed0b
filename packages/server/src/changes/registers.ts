import type { Fact } from '@berth/api';
import type { WriteQueries } from '../platform/database/index.ts';
import { type Joined, emptyRegister, join } from './model.ts';
import { findRegister } from './queries.ts';

/** Joins a fact into the register of its name, which is locked until the transaction ends. Nothing is written when it tells nothing new. */
export async function joinRegister(tx: WriteQueries, registryId: number, fact: Fact): Promise<Joined> {
  const { kind, repository, name } = fact;
  const known = await findRegister(tx, { registryId, repository, kind, name });
  const joined = join(known ?? emptyRegister, fact);
  if (!joined.isAdvanced) return joined;
  const { set, deleted, attributes } = joined.register;
  const values = {
    set_clock: set.clock,
    set_origin: set.origin,
    digest: set.digest ?? null,
    deleted_clock: deleted.clock,
    deleted_origin: deleted.origin,
    attributes: JSON.stringify(attributes),
  };
  await tx
    .insertInto('registers')
    .values({ registry_id: registryId, repository, kind, name, ...values })
    .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'kind', 'name']).doUpdateSet(values))
    .execute();
  return joined;
}
