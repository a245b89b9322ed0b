import type { RunFacts } from '../../runs/index.ts';
import type { Task } from '../../tasks/index.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { tellsBaseImages, watchOf } from './model.ts';
import { baseRunOf } from './queries.ts';
import { recordRun } from './record-run.ts';

/** Among so many of the last successful runs of a task there is one that was its own. */
const maxRunsSeen = 20;

/** Brings what is kept of a task's base images to its trigger and its last successful run, whoever saw that end. */
export async function reconcileBaseImages(context: TriggersContext, task: Task): Promise<void> {
  const place = { registryId: task.registryId, task: task.name };
  const known = await baseRunOf(context.database.read, place);
  const last = await lastSuccess(context, task);
  if (known !== undefined && known.watch === watchOf(task) && (last === undefined || last.rowId <= known.run_row_id)) return;
  await recordRun(context, task, last);
}

async function lastSuccess({ runs }: TriggersContext, { registryId, name }: Task): Promise<RunFacts | undefined> {
  const succeeded = await runs.list({ registryId, task: name, statuses: ['Succeeded'], limit: maxRunsSeen });
  return succeeded.find(tellsBaseImages);
}
