import type { WriteQueries } from '../database/database.ts';
import { prepareWrite } from '../database/prepared-read.ts';
import type { MachineKeyRow } from '../database/tables.ts';

/**
 * Lets a run sign in. A run has one key: another agent that takes it over gets a new one. Part of the transaction that gives the
 * run to its agent, so that a claim waits for one commit.
 */
export async function putRunKey(tx: WriteQueries, key: MachineKeyRow): Promise<void> {
  await dropOthers.run(tx, { registryId: key.registry_id, runId: key.name, now: key.created_at });
  await insertKey.run(tx, key);
}

const dropOthers = prepareWrite<{ readonly registryId: number; readonly runId: string; readonly now: number }, never>(
  (tx, { registryId, runId, now }) =>
    tx
      .deleteFrom('machine_keys')
      .where('registry_id', '=', registryId)
      .where('kind', '=', 'run')
      .where((where) => where.or([where('name', '=', runId), where('expires_at', '<', now)])),
);

const insertKey = prepareWrite<Pick<MachineKeyRow, keyof MachineKeyRow>, never>((tx, key) =>
  tx.insertInto('machine_keys').values({
    id: key.id,
    registry_id: key.registry_id,
    kind: key.kind,
    name: key.name,
    verifier: key.verifier,
    agent_pool: key.agent_pool,
    is_shared: key.is_shared,
    access: key.access,
    created_at: key.created_at,
    expires_at: key.expires_at,
  }),
);

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
