import type { ReadQueries } from '../../platform/database/index.ts';

/** An agent that has asked for work. Times are ms since the epoch. */
export interface KnownAgent {
  readonly name: string;
  readonly agentPool: string | null;
  readonly version: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly os: string;
  readonly architectures: readonly string[];
  readonly capacity: number;
  readonly seenAt: number;
  /** Ids of the runs that it holds. */
  readonly runs: readonly string[];
  readonly isOnline: boolean;
}

/** A claim waits for less than this. */
const onlineMs = 60_000;
const maxAgents = 1_000;

/** Agents that a registry has, its own and those of the deployment, seen since a time. */
export async function knownAgents(
  db: ReadQueries,
  { registryId, seenAfter, now }: { readonly registryId: number; readonly seenAfter: number; readonly now: number },
): Promise<readonly KnownAgent[]> {
  const rows = await db
    .selectFrom('agents')
    .innerJoin('machine_keys', 'machine_keys.id', 'agents.key_id')
    .select(['agents.key_id', 'agents.name', 'agents.description', 'agents.seen_at', 'machine_keys.agent_pool'])
    .where((eb) => eb.or([eb('machine_keys.registry_id', '=', registryId), eb('machine_keys.is_shared', '=', 1)]))
    .where('agents.seen_at', '>', seenAfter)
    .orderBy('agents.name')
    .limit(maxAgents)
    .execute();
  const held = await db
    .selectFrom('runs')
    .select(['agent_key_id', 'agent', 'run_id', 'registry_id', 'leased_until'])
    .where('leased_until', 'is not', null)
    .execute();
  return rows.map((row) => {
    const mine = held.filter(({ agent_key_id: keyId, agent }) => keyId === row.key_id && agent === row.name);
    const isReporting = mine.some(({ leased_until: until }) => (until ?? 0) > now);
    return {
      name: row.name,
      agentPool: row.agent_pool,
      ...(JSON.parse(row.description) as Pick<
        KnownAgent,
        'version' | 'engine' | 'engineVersion' | 'os' | 'architectures' | 'capacity'
      >),
      seenAt: row.seen_at,
      // Runs of other registries are nobody's business here.
      runs: mine.filter((run) => run.registry_id === registryId).map((run) => run.run_id),
      isOnline: isReporting || row.seen_at > now - onlineMs,
    };
  });
}
