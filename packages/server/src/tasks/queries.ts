import type { ReadQueries, TaskBaseImageRow } from '../platform/database/index.ts';
import { type Child, findChild } from '../resources/index.ts';
import type { Task, TaskProperties } from './model.ts';

export const taskCollection = 'tasks';

export async function findTask(db: ReadQueries, registryId: number, name: string): Promise<Task | undefined> {
  const child = await findChild(db, { registryId, kind: taskCollection, name });
  return child && taskOf(registryId, child);
}

/** The properties are ours: they were read before they were kept. */
function taskOf(registryId: number, child: Child): Task {
  const { name, createdAt, updatedAt, properties } = child;
  return { registryId, name, createdAt, updatedAt, properties: properties as TaskProperties };
}

/** Of one registry, or of all; by registry and name. */
export async function allTasks(db: ReadQueries, registryId?: number): Promise<readonly Task[]> {
  let query = db
    .selectFrom('resources')
    .select(['registry_id', 'name', 'created_at', 'updated_at', 'properties'])
    .where('kind', '=', taskCollection);
  if (registryId !== undefined) query = query.where('registry_id', '=', registryId);
  const rows = await query.orderBy('registry_id').orderBy('name_key').execute();
  return rows.map((row) => ({
    registryId: row.registry_id,
    name: row.name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    properties: JSON.parse(row.properties) as TaskProperties,
  }));
}

/** The images that the last successful run of a task was built on. */
export function baseImagesOf(
  db: ReadQueries,
  registryId: number,
  task: string,
): Promise<readonly Pick<TaskBaseImageRow, 'server' | 'repository' | 'tag' | 'role' | 'recorded_digest'>[]> {
  return db
    .selectFrom('task_base_images')
    .select(['server', 'repository', 'tag', 'role', 'recorded_digest'])
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .orderBy('server')
    .orderBy('repository')
    .orderBy('tag')
    .execute();
}
