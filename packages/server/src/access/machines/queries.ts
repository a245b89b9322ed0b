import type { MachineKeyRow, ReadQueries } from '../../platform/database/index.ts';
import type { Access } from '../scope.ts';

/** What an agent, or a run while it goes on, signs in with. */
export interface MachineKey {
  readonly id: string;
  readonly registryId: number;
  readonly kind: MachineKeyRow['kind'];
  /** What people call the key; of a run, its id. */
  readonly name: string;
  readonly verifier: string;
  readonly agentPool: string | null;
  readonly isShared: boolean;
  /** Of runs: what they may do. */
  readonly access: readonly Access[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export async function findMachineKey(db: ReadQueries, registryId: number, id: string): Promise<MachineKey | undefined> {
  const row = await db
    .selectFrom('machine_keys')
    .selectAll()
    .where('id', '=', id)
    .where('registry_id', '=', registryId)
    .executeTakeFirst();
  return row && keyOf(row);
}

/** The keys of the agents of a registry, by name. */
export async function listAgentKeys(db: ReadQueries, registryId: number): Promise<readonly MachineKey[]> {
  const rows = await db
    .selectFrom('machine_keys')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('kind', '=', 'agent')
    .orderBy('name')
    .execute();
  return rows.map(keyOf);
}

/** The text is ours. */
function keyOf(row: MachineKeyRow): MachineKey {
  return {
    id: row.id,
    registryId: row.registry_id,
    kind: row.kind,
    name: row.name,
    verifier: row.verifier,
    agentPool: row.agent_pool,
    isShared: row.is_shared === 1,
    access: JSON.parse(row.access) as readonly Access[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
