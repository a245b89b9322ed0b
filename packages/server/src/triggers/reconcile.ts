import { reconcileBaseImages } from './base-images/reconcile.ts';
import { knownTasks } from './base-images/queries.ts';
import { forgetTask } from './base-images/transactions.ts';
import { reconcileTimers } from './timers/reconcile.ts';
import type { TriggersContext } from './triggers-context.ts';

/** Brings what triggers keep of one task, or of every task, to what the task says and its runs were. */
export async function reconcile(
  context: TriggersContext,
  only?: { readonly registryId: number; readonly task: string },
): Promise<void> {
  const { tasks, database, signal } = context;
  const found = only === undefined ? await tasks.all() : [await tasks.find(only.registryId, only.task)];
  const alive = new Set<string>();
  for (const task of found) {
    if (signal.aborted) return;
    if (task === undefined) continue;
    alive.add(keyOf({ registryId: task.registryId, task: task.name }));
    await reconcileTimers(context, task);
    await reconcileBaseImages(context, task);
    // On SQLite reads wait for nothing: others have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const place of only === undefined ? await knownTasks(database.read) : [only]) {
    if (signal.aborted) return;
    if (alive.has(keyOf(place))) continue;
    // Made by another process since the tasks were read.
    if ((await tasks.find(place.registryId, place.task)) === undefined) await database.write(forgetTask, place);
  }
}

function keyOf({ registryId, task }: { readonly registryId: number; readonly task: string }): string {
  return JSON.stringify([registryId, task]);
}
