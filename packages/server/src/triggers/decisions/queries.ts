import type { ReadQueries, TriggerDecisionRow } from '../../platform/database/index.ts';
import type { Selectable } from 'kysely';

/** The newest first. */
export function decisionsOf(
  db: ReadQueries,
  { registryId, task, limit }: { readonly registryId: number; readonly task: string; readonly limit: number },
): Promise<readonly Selectable<TriggerDecisionRow>[]> {
  return db
    .selectFrom('trigger_decisions')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
