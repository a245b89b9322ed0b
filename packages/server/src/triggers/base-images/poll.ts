import type { TriggersContext } from '../triggers-context.ts';
import type { BaseImageLooks, Look } from './look.ts';
import { isPaused, isWatched, nameOf, registryAt, watchOf } from './model.ts';
import { endLook, takeDueLooks } from './poll-transactions.ts';
import { isLookDue } from './queries.ts';
import type { StoredBaseImage } from './transactions.ts';

/** A process that died while it looked holds the row no longer than this; a look takes less. */
const holdMs = 300_000;
const looksAtOnce = 8;
const maxPauseMs = 86_400_000;

/** Looks at every base image of another registry whose time has come. Of several processes one does. */
export async function pollDue(context: TriggersContext, looks: BaseImageLooks): Promise<void> {
  const { database, clock, signal } = context;
  while (!signal.aborted && (await isLookDue(database.read, clock.now()))) {
    const now = clock.now();
    const heldUntil = now + holdMs;
    const rows = await database.write(takeDueLooks, { now, heldUntil, limit: looksAtOnce });
    if (rows.length === 0) return;
    // Of those that look at one image, the first asks and the others know.
    await Promise.all(
      [...Map.groupBy(rows, nameOf).values()].map((same) => lookInTurn(context, looks, { rows: same, heldUntil })),
    );
  }
}

async function lookInTurn(
  context: TriggersContext,
  looks: BaseImageLooks,
  { rows, heldUntil }: { readonly rows: readonly StoredBaseImage[]; readonly heldUntil: number },
): Promise<void> {
  for (const row of rows) {
    try {
      await lookAt(context, looks, { row, heldUntil });
    } catch (error) {
      if (context.signal.aborted) return;
      context.log.error({ err: error, task: row.task }, 'a look at a base image failed; it is tried again');
    }
  }
}

async function lookAt(
  context: TriggersContext,
  looks: BaseImageLooks,
  { row, heldUntil }: { readonly row: StoredBaseImage; readonly heldUntil: number },
): Promise<void> {
  const { database, clock, registries, tasks } = context;
  const { registry_id: registryId, task: name, server, repository, tag } = row;
  const registry = registries.byId(registryId);
  const task = registry && (await tasks.find(registryId, name));
  const watch = task === undefined ? 'off' : watchOf(task);
  const end = { registryId, task: name, server, repository, tag, heldUntil, now: clock.now() };
  // Whoever disabled it, or deleted the task, was another process: its rows follow.
  if (registry === undefined || task === undefined || isPaused(watch) || !isWatched(watch, row.role)) {
    const digest = row.current_digest ?? undefined;
    await database.write(endLook, { ...end, nextCheckAt: null, digest, problem: null, decision: undefined });
    return;
  }
  const look = await looks.look(registry, task, row);
  const problem = 'problem' in look ? look.problem : null;
  const isHome = registryAt(server, registries.all()) !== undefined;
  await database.write(endLook, {
    ...end,
    now: clock.now(),
    nextCheckAt: isHome && problem === null ? null : clock.now() + pauseOf(context, look, row.failures),
    digest: 'digest' in look ? look.digest : undefined,
    problem,
    decision:
      problem === null || problem === row.problem
        ? undefined
        : {
            registryId,
            task: name,
            kind: 'baseImage',
            isFired: false,
            run: null,
            trigger: task.properties.trigger.baseImageTrigger?.name ?? '',
            reason: `${nameOf(row)} could not be looked at: ${problem}`,
            details: { image: nameOf(row), recorded: row.recorded_digest },
          },
  });
}

/** Ever longer after failures, at least as long as the other side asks for, and never at one moment for all. */
function pauseOf({ limits }: TriggersContext, look: Look, failures: number): number {
  const { pollIntervalMs } = limits;
  if ('digest' in look) return jittered(pollIntervalMs);
  const own = pollIntervalMs * 2 ** Math.min(failures + 1, 20);
  return Math.min(Math.max(jittered(own), look.retryAfterMs ?? 0), Math.max(maxPauseMs, pollIntervalMs));
}

function jittered(ms: number): number {
  return Math.round(ms * (0.8 + Math.random() * 0.4));
}
