import type { ReadQueries, TaskBaseRunRow } from '../../platform/database/index.ts';
import type { StoredBaseImage, TaskPlace } from './transactions.ts';

export function baseImagesOf(db: ReadQueries, { registryId, task }: TaskPlace): Promise<readonly StoredBaseImage[]> {
  return db
    .selectFrom('task_base_images')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .orderBy('server')
    .orderBy('repository')
    .orderBy('tag')
    .execute();
}

export function baseRunOf(
  db: ReadQueries,
  { registryId, task }: TaskPlace,
): Promise<Pick<TaskBaseRunRow, 'run_row_id' | 'watch'> | undefined> {
  return db
    .selectFrom('task_base_runs')
    .select(['run_row_id', 'watch'])
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .executeTakeFirst();
}

/** Tasks of which something is known here. */
export async function knownTasks(db: ReadQueries): Promise<readonly TaskPlace[]> {
  const rows = await db
    .selectFrom('task_base_runs')
    .select(['registry_id', 'task'])
    .union(db.selectFrom('task_timers').select(['registry_id', 'task']))
    .execute();
  return rows.map(({ registry_id, task }) => ({ registryId: registry_id, task }));
}

export async function hasMovedTags(db: ReadQueries): Promise<boolean> {
  return (await db.selectFrom('moved_tags').select('id').limit(1).executeTakeFirst()) !== undefined;
}

export async function isUndecided(db: ReadQueries, now: number): Promise<boolean> {
  const row = await db.selectFrom('task_base_images').select('task').where('decide_at', '<=', now).limit(1).executeTakeFirst();
  return row !== undefined;
}

/** When, after now, something is to be decided or looked at next; undefined: nothing is. */
export async function nextDueAt(db: ReadQueries, now: number): Promise<number | undefined> {
  const [decision, look] = await Promise.all([
    db
      .selectFrom('task_base_images')
      .select('decide_at as at')
      .where('decide_at', '>', now)
      .orderBy('decide_at')
      .limit(1)
      .executeTakeFirst(),
    db
      .selectFrom('task_base_images')
      .select('next_check_at as at')
      .where('next_check_at', '>', now)
      .orderBy('next_check_at')
      .limit(1)
      .executeTakeFirst(),
  ]);
  const times = [decision?.at, look?.at].flatMap((at) => (at === undefined || at === null ? [] : [at]));
  return times.length === 0 ? undefined : Math.min(...times);
}

export async function isLookDue(db: ReadQueries, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('task_base_images')
    .select('task')
    .where('next_check_at', '<=', now)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
