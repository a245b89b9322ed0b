import type { RetentionContext } from './model.ts';
import { type PurgeResult, type ScheduledRequest, readSchedule } from './purge-schedules.ts';
import { purge } from './purge.ts';
import { isPurgeDue } from './schedule-queries.ts';
import { type DuePurge, holdPurge, takeDuePurge } from './schedule-transactions.ts';
import { type SweepTotals, nothingDone, sumOf } from './sweep.ts';

/** A process that died holds its purge no longer than this; each part of a purge takes less. */
const holdMs = 120_000;

/**
 * Runs each purge that is due, one after the other. Of several processes one does. What came due while none ran, runs once,
 * however often it would have been.
 */
export async function runDuePurges(context: RetentionContext, signal: AbortSignal): Promise<void> {
  const { database, clock } = context;
  while (!signal.aborted && (await isPurgeDue(database.read, clock.now()))) {
    const now = clock.now();
    const due = await database.write(takeDuePurge, { now, heldUntil: now + holdMs });
    if (due === undefined) return;
    await run(context, due, signal);
  }
}

async function run(context: RetentionContext, due: DuePurge, signal: AbortSignal): Promise<void> {
  const { database, clock, log } = context;
  const { registryId, name } = due;
  const place = { registryId, name };
  let result: PurgeResult;
  try {
    result = await purgeWhole(context, due, signal);
  } catch (error) {
    if (signal.aborted) {
      // The next start goes on: what is gone is gone, and the rest is still due.
      await database.write(holdPurge, { ...place, heldUntil: null });
      return;
    }
    log.error({ err: error, schedule: name }, 'a scheduled purge failed; its next time tries again');
    result = { problem: 'it failed: see the log of the server' };
  }
  const at = clock.now();
  const ended = { at, result: JSON.stringify(result), nextAt: readSchedule(due.schedule).next(at) ?? null };
  await database.write(holdPurge, { ...place, heldUntil: null, ended });
}

async function purgeWhole(context: RetentionContext, due: DuePurge, signal: AbortSignal): Promise<SweepTotals> {
  const { database, clock } = context;
  const { registryId, name } = due;
  const request = JSON.parse(due.request) as ScheduledRequest;
  let totals: SweepTotals = nothingDone;
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    signal.throwIfAborted();
    const answer = await purge(context, { ...request, ...(cursor !== undefined && { cursor }) }, { registryId, signal });
    totals = sumOf(totals, answer);
    ({ cursor } = answer);
    await database.write(holdPurge, { registryId, name, heldUntil: clock.now() + holdMs });
  }
  return totals;
}
