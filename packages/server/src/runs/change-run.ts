import { runHasEnded } from './end-run.ts';
import type { RunFacts } from './model.ts';
import { archiveRun, cancelRun } from './queue/transactions.ts';
import { factsOf } from './run-facts.ts';
import type { RunsContext } from './runs-context.ts';

/** At once while it is queued; otherwise its agent is told. Undefined: there is no such run. */
export async function cancel(context: RunsContext, registryId: number, runId: string): Promise<RunFacts | undefined> {
  const { database, clock, events } = context;
  const outcome = await database.write(cancelRun, { registryId, runId, now: clock.now() });
  if (outcome === undefined) return undefined;
  if (outcome.wasQueued) runHasEnded(context, outcome.row);
  else events.runChanged(outcome.row.id);
  return factsOf(outcome.row);
}

export async function archive(
  { database, clock, events }: RunsContext,
  registryId: number,
  runId: string,
  isArchived: boolean,
): Promise<RunFacts | undefined> {
  const row = await database.write(archiveRun, { registryId, runId, isArchived, now: clock.now() });
  if (row === undefined) return undefined;
  events.runChanged(row.id);
  return factsOf(row);
}
