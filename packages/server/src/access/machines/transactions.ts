import { RegistryError } from '../../errors/index.ts';
import { type MachineKeyRow, type TransactionDefinition, defineTransaction, lockRows } from '../../platform/database/index.ts';

export interface AddAgentKey {
  readonly key: MachineKeyRow;
  readonly maxKeys: number;
  /** A key of this name gives way; otherwise it is refused. */
  readonly isReplacing: boolean;
}

/** @throws NAME_IN_USE, QUOTA_EXCEEDED */
export const addAgentKey = defineTransaction(
  'access.add-agent-key',
  async (tx, { key, maxKeys, isReplacing }: AddAgentKey): Promise<void> => {
    // One change of a registry's keys at a time, so that their number holds.
    await lockRows(tx.selectFrom('registries').select('id').where('id', '=', key.registry_id)).execute();
    const others = await tx
      .selectFrom('machine_keys')
      .select(['id', 'name'])
      .where('registry_id', '=', key.registry_id)
      .where('kind', '=', 'agent')
      .execute();
    const same = others.find(({ name }) => name === key.name);
    if (same !== undefined && !isReplacing)
      throw new RegistryError('NAME_IN_USE', {
        message: `there is an agent key ${key.name} already: delete it first, or take another name`,
      });
    if (same !== undefined) await tx.deleteFrom('machine_keys').where('id', '=', same.id).execute();
    else if (others.length >= maxKeys)
      throw new RegistryError('QUOTA_EXCEEDED', {
        message: `a registry has ${maxKeys} agent keys at the most: delete one first`,
      });
    await tx.insertInto('machine_keys').values(key).execute();
  },
);

/** Whether there was one. */
export const deleteAgentKey = defineTransaction(
  'access.delete-agent-key',
  async (tx, { registryId, id }: { readonly registryId: number; readonly id: string }): Promise<boolean> => {
    const deleted = await tx
      .deleteFrom('machine_keys')
      .where('registry_id', '=', registryId)
      .where('kind', '=', 'agent')
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst();
    return deleted !== undefined;
  },
);

export const machineTransactions: readonly TransactionDefinition<never, unknown>[] = [addAgentKey, deleteAgentKey];
