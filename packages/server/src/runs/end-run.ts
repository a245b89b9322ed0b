import type { RunFacts } from './model.ts';
import { type PlainRunRow, factsOf } from './run-facts.ts';
import type { RunsContext } from './runs-context.ts';
import { compactLog } from './log/compact-log.ts';
import { nextChunk } from './log/next-chunk.ts';
import { findRunByRow } from './queries.ts';
import { eraseExpired } from './sources/erase-expired.ts';
import { type EndReason, endRun } from './run-transactions.ts';

/** Attempts to end a run whose agent goes on reporting. */
const maxAttempts = 5;

export interface RunToEnd {
  readonly rowId: number;
  /** Which must hold still; otherwise nothing happens. */
  readonly reason: EndReason;
  readonly status: 'Error' | 'Timeout' | 'Canceled';
  readonly error: string;
}

/** Ends a run that no agent ends, and says why in its log. False: the reason holds no more. */
export async function endByServer(context: RunsContext, { rowId, reason, status, error }: RunToEnd): Promise<boolean> {
  const { database, keys, clock, limits } = context;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const row = await findRunByRow(database.read, rowId);
    if (row === undefined) return false;
    const now = clock.now();
    const records = [{ time: now, step: '', stream: 'agent' as const, text: error }];
    const { chunk } = nextChunk(keys, row, { from: row.log_records, records, now }, limits);
    const outcome = await database.write(endRun, { rowId, reason, status, error, now, chunk, knownRecords: row.log_records });
    if (outcome === 'moved') continue;
    if (outcome !== undefined) runHasEnded(context, outcome.run, outcome.keyId);
    return outcome !== undefined;
  }
  return false;
}

/**
 * What follows the end of a run; to be called once it is durable.
 * @param keyId the credential that ended with it
 */
export function runHasEnded(context: RunsContext, row: PlainRunRow, keyId?: string): void {
  const { events, ended, credentials } = context;
  const run = factsOf(row);
  if (keyId !== undefined) credentials.forgetRunCredential(run.registryId, keyId);
  ended.set(run.status, (ended.get(run.status) ?? 0) + 1);
  events.runChanged(run.rowId);
  events.queueMoved();
  events.begin(cleanUp(context, run));
  try {
    events.runEnded(run);
  } catch (error) {
    context.log.error({ err: error, run: run.id }, 'whoever follows runs failed at the end of one');
  }
}

/** What is left undone here is done by the rounds of upkeep, or ends by its own time. */
async function cleanUp(context: RunsContext, run: RunFacts): Promise<void> {
  const steps = [() => eraseExpired(context), () => compactLog(context, run)];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      if (!context.signal.aborted)
        context.log.warn({ err: error, run: run.id }, 'a run that ended could not be tidied up at once');
    }
  }
}
