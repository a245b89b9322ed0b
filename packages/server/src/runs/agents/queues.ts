import type { ReadQueries } from '../../platform/database/index.ts';
import { queued } from '../queries.ts';

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
  const running = await db
    .selectFrom('runs')
    .select(({ fn }) => ['agent_pool', fn.countAll<number | string>().as('count')])
    .where('leased_until', 'is not', null)
    .where('registry_id', '=', registryId)
    .groupBy('agent_pool')
    .execute();
  const pools = new Set([null, ...[...waiting, ...running].map(({ agent_pool: pool }) => pool)]);
  const countIn = (rows: readonly { agent_pool: string | null; count: number | string }[], pool: string | null): number =>
    Number(rows.find(({ agent_pool: each }) => each === pool)?.count ?? 0);
  const oldest = waiting.map((row) => Number(row.oldest ?? 0));
  return {
    queue: [...pools].map((agentPool) => ({
      agentPool,
      queued: countIn(waiting, agentPool),
      running: countIn(running, agentPool),
    })),
    oldestQueuedAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
