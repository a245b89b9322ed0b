import { compactRest } from './log/compact-log.ts';
import { endByServer } from './end-run.ts';
import { queued } from './queries.ts';
import { type RunsContext, leaseMs } from './runs-context.ts';
import { tellWaiting } from './queue/tell-waiting.ts';
import { eraseExpired } from './sources/erase-expired.ts';
import { forgetAgents } from './agents/transactions.ts';
import { forgetRuns } from './forget-runs.ts';

const dayMs = 86_400_000;
/** An agent ends a run in time by itself; after so long it is held for lost. */
const overdueMs = 120_000;
const batchSize = 100;

/** Ends runs that nobody else ends, and says of others why they wait. */
export async function sweep(context: RunsContext): Promise<void> {
  await endExpired(context);
  await endOverdue(context);
  await tellWaiting(context);
}

/** Agents could not report while the server was down: their leases get the time that they would have had. */
async function endExpired(context: RunsContext): Promise<void> {
  const { database, clock, startedAt } = context;
  const now = clock.now();
  if (now < startedAt + leaseMs) return;
  const expired = await database.read
    .selectFrom('runs')
    .select(['id', 'agent'])
    .where('leased_until', '<', now)
    .orderBy('leased_until')
    .limit(batchSize)
    .execute();
  for (const { id, agent } of expired) {
    const error = `the agent ${agent ?? ''} was lost: it has not reported for ${leaseMs / 1000} seconds; queue the run again`;
    await endByServer(context, { rowId: id, reason: { kind: 'lease-expired' }, status: 'Error', error });
  }
}

async function endOverdue(context: RunsContext): Promise<void> {
  const { database, clock } = context;
  const now = clock.now();
  const held = await database.read
    .selectFrom('runs')
    .select(['id', 'agent', 'started_at', 'timeout_seconds', 'cancel_requested_at'])
    .where('leased_until', 'is not', null)
    .execute();
  for (const { id, agent, started_at: startedAt, timeout_seconds: seconds, cancel_requested_at: canceledAt } of held) {
    const startedBefore = now - seconds * 1000 - overdueMs;
    const canceledBefore = now - overdueMs;
    if (canceledAt !== null && canceledAt < canceledBefore) {
      const error = `the run was canceled, but the agent ${agent ?? ''} did not stop it in time`;
      await endByServer(context, { rowId: id, reason: { kind: 'not-canceled', canceledBefore }, status: 'Canceled', error });
    } else if (startedAt !== null && startedAt < startedBefore) {
      const error = `the run has taken longer than its ${seconds} seconds`;
      await endByServer(context, { rowId: id, reason: { kind: 'overdue', startedBefore }, status: 'Timeout', error });
    }
  }
}

/** Forgets and erases what has had its time. */
export async function tidy(context: RunsContext): Promise<void> {
  const { database, clock, limits, signal } = context;
  await endUnclaimed(context);
  await compactRest(context, signal);
  for (let isMore = true; isMore && !signal.aborted; ) {
    const now = clock.now();
    isMore = await database.write(forgetRuns, { finishedBefore: now - limits.runRetentionMs, now, limit: batchSize });
  }
  await database.write(forgetAgents, { seenBefore: clock.now() - dayMs });
  await eraseExpired(context);
}

async function endUnclaimed(context: RunsContext): Promise<void> {
  const { database, clock, limits } = context;
  const tooLong = await database.read
    .selectFrom('runs')
    .select('id')
    .where('status', '=', queued)
    .where('created_at', '<', clock.now() - limits.queueTimeoutMs)
    .limit(batchSize)
    .execute();
  for (const { id } of tooLong) {
    const error = 'no agent has taken the run in time: see whether agents that can execute it are there, then queue it again';
    await endByServer(context, { rowId: id, reason: { kind: 'queued-too-long' }, status: 'Error', error });
  }
}
