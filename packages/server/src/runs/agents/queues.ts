import type { ReadQueries } from '../../platform/database/index.ts';
import { heldRuns, queued } from '../queries.ts';

export interface QueueOfPool {
  readonly agentPool: string | null;
  readonly queued: number;
  readonly running: number;
}

/** What waits and what goes on in a registry, by pool. */
export async function queuesOf(
  db: ReadQueries,
  registryId: number,
): Promise<{ readonly queue: readonly QueueOfPool[]; readonly oldestQueuedAt: number | null }> {
  const waiting = await db
    .selectFrom('runs')
    .select(({ fn }) => [
      'agent_pool',
      fn.countAll<number | string>().as('count'),
      fn.min<number | string | null>('created_at').as('oldest'),
    ])
    .where('status', '=', queued)
    .where('registry_id', '=', registryId)
    .groupBy('agent_pool')
    .execute();
  const held = await heldRuns(db).execute();
  const running = held.flatMap(({ registry_id: id, agent_pool: pool }) => (id === registryId ? [pool] : []));
  const pools = new Set([null, ...waiting.map(({ agent_pool: pool }) => pool), ...running]);
  const oldest = waiting.map((row) => Number(row.oldest ?? 0));
  return {
    queue: [...pools].map((agentPool) => ({
      agentPool,
      queued: Number(waiting.find(({ agent_pool: pool }) => pool === agentPool)?.count ?? 0),
      running: running.filter((pool) => pool === agentPool).length,
    })),
    oldestQueuedAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
