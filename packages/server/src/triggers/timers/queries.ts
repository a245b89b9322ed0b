import type { ReadQueries } from '../../platform/database/index.ts';
import type { StoredTimer } from './transactions.ts';

export function timersOf(
  db: ReadQueries,
  { registryId, task }: { readonly registryId: number; readonly task: string },
): Promise<readonly StoredTimer[]> {
  return db
    .selectFrom('task_timers')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .orderBy('name')
    .execute();
}

export async function isTimerDue(db: ReadQueries, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('task_timers')
    .select('name')
    .where('next_at', '<=', now)
    .where((eb) => eb.or([eb('held_until', 'is', null), eb('held_until', '<=', now)]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
