import type { WriteQueries } from '../database/database.ts';
import type { MachineKeyRow } from '../database/tables.ts';

/**
 * Lets a run sign in. A run has one key: another agent that takes it over gets a new one. Part of the transaction that gives the
 * run to its agent, so that a claim waits for one commit.
 */
export async function putRunKey(tx: WriteQueries, key: MachineKeyRow): Promise<void> {
  await tx
    .deleteFrom('machine_keys')
    .where('registry_id', '=', key.registry_id)
    .where('kind', '=', 'run')
    .where((where) => where.or([where('name', '=', key.name), where('expires_at', '<', key.created_at)]))
    .execute();
  await tx.insertInto('machine_keys').values(key).execute();
}

/** Ends the key of a run, in the transaction that ends the run. @returns its id, for whoever remembers it; undefined: it had none */
export async function dropRunKey(tx: WriteQueries, registryId: number, runId: string): Promise<string | undefined> {
  const dropped = await tx
    .deleteFrom('machine_keys')
    .where('registry_id', '=', registryId)
    .where('kind', '=', 'run')
    .where('name', '=', runId)
    .returning('id')
    .executeTakeFirst();
  return dropped?.id;
}
