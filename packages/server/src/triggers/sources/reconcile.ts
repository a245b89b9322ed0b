import { ForgeError } from './api/forge-client.ts';
import { RegistryError } from '../../errors/index.ts';
import { ensureWatch } from './ensure-watch.ts';
import { type StoredSource, sourcesOf } from './queries.ts';
import { type SourcesContext, watchesOf } from './sources-context.ts';
import { syncHook, removeHook } from './sync-hook.ts';
import { removeSource } from './transactions.ts';

/** Brings the rows and the hooks of one task, or of every task, to what their triggers say. */
export async function reconcile(
  context: SourcesContext,
  only?: { readonly registryId: number; readonly task: string },
): Promise<void> {
  const { tasks, database } = context;
  const found = only === undefined ? await tasks.all() : [await tasks.find(only.registryId, only.task)];
  const alive = new Set<string>();
  for (const task of found) {
    const registry = task && context.registryById(task.registryId);
    if (task === undefined || registry === undefined) continue;
    for (const watch of watchesOf(registry, task)) {
      if (context.signal.aborted) return;
      alive.add(keyOf({ registryId: task.registryId, task: task.name, name: watch.trigger.name }));
      await ensureWatch(context, watch);
      await syncHook(context, watch);
    }
  }
  for (const source of await sourcesOf(database.read, only)) {
    if (context.signal.aborted) return;
    if (!alive.has(keyOf(source))) await remove(context, source);
  }
}

/** With its hook at the forge, once: what the forge refuses then, its owner has to remove. */
async function remove(context: SourcesContext, source: StoredSource): Promise<void> {
  const { hook } = source.state;
  const { registryId, task, name } = source;
  // Made by another process since the tasks were read.
  const now = await context.tasks.find(registryId, task);
  if (now?.properties.trigger.sourceTriggers.some((trigger) => trigger.name === name) === true) return;
  try {
    if (hook !== undefined) await removeHook(context, registryId, hook);
  } catch (error) {
    if (context.signal.aborted || !(error instanceof ForgeError || error instanceof RegistryError)) throw error;
    context.log.warn({ task, trigger: name, reason: error.message }, 'the hook of a removed trigger is still at its forge');
  }
  await context.database.write(removeSource, { registryId, task, name });
}

function keyOf({
  registryId,
  task,
  name,
}: {
  readonly registryId: number;
  readonly task: string;
  readonly name: string;
}): string {
  return JSON.stringify([registryId, task, name]);
}
