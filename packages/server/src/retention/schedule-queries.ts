import type { PurgeScheduleRow, ReadQueries } from '../platform/database/index.ts';

export type StoredSchedule = Omit<PurgeScheduleRow, 'registry_id'>;

const columns = ['name', 'schedule', 'request', 'next_at', 'held_until', 'last_at', 'last_result', 'updated_at'] as const;

export function storedSchedules(db: ReadQueries, registryId: number): Promise<StoredSchedule[]> {
  return db.selectFrom('purge_schedules').select(columns).where('registry_id', '=', registryId).orderBy('name').execute();
}

export function storedSchedule(db: ReadQueries, registryId: number, name: string): Promise<StoredSchedule | undefined> {
  return db
    .selectFrom('purge_schedules')
    .select(columns)
    .where('registry_id', '=', registryId)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** Whether something is due, so that most rounds write nothing. */
export async function isPurgeDue(db: ReadQueries, now: number): Promise<boolean> {
  const due = await db.selectFrom('purge_schedules').select('name').where('next_at', '<=', now).limit(1).executeTakeFirst();
  return due !== undefined;
}
