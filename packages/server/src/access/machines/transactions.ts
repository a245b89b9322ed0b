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

/** A run has one credential: another agent that takes it over gets a new one. */
export const replaceRunKey = defineTransaction('access.replace-run-key', async (tx, key: MachineKeyRow): Promise<void> => {
  await tx
    .deleteFrom('machine_keys')
    .where('registry_id', '=', key.registry_id)
    .where('kind', '=', 'run')
    .where((where) => where.or([where('name', '=', key.name), where('expires_at', '<', key.created_at)]))
    .execute();
  await tx.insertInto('machine_keys').values(key).execute();
});

/** Whether there was one. */
export const deleteMachineKey = defineTransaction(
  'access.delete-machine-key',
  async (
    tx,
    {
      registryId,
      ...by
    }: { readonly registryId: number; readonly id: string } | { readonly registryId: number; readonly runId: string },
  ): Promise<string | undefined> => {
    const keys = tx.deleteFrom('machine_keys').where('registry_id', '=', registryId);
    const deleted = await ('id' in by
      ? keys.where('kind', '=', 'agent').where('id', '=', by.id)
      : keys.where('kind', '=', 'run').where('name', '=', by.runId)
    )
      .returning('id')
      .executeTakeFirst();
    return deleted?.id;
  },
);

export const machineTransactions: readonly TransactionDefinition<never, unknown>[] = [
  addAgentKey,
  replaceRunKey,
  deleteMachineKey,
];
