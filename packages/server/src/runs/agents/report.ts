import type { OutputImage, RunReport } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import type { AgentFacts } from '../../tenancy/index.ts';
import { runHasEnded } from '../end-run.ts';
import { nextChunk } from '../log/next-chunk.ts';
import { isEnded } from '../model.ts';
import { leasedRun } from '../queries.ts';
import { type EndOfRun, reportRun } from '../run-transactions.ts';
import { type PlainRunRow, detailsOf } from '../run-facts.ts';
import { type RunsContext, leaseMs } from '../runs-context.ts';
import { hashOfLease } from './claim.ts';
import { cutEnd, cutSteps } from './cut-report.ts';

export interface ReportOfAgent {
  readonly facts: AgentFacts;
  readonly runId: string;
  /** What its header says. */
  readonly lease: string | undefined;
  readonly report: RunReport;
}

export interface ReportAnswer {
  readonly isCanceled: boolean;
  readonly leaseSeconds: number;
  readonly logRecords: number;
}

/** Reports that come in at once for one run. */
const maxAttempts = 10;

/** The run that an agent holds, or held until it reported the end. @throws LEASE_LOST */
export async function requireHeld(
  { database }: Pick<RunsContext, 'database'>,
  { facts, runId, lease }: Omit<ReportOfAgent, 'report'>,
): Promise<PlainRunRow> {
  if (lease === undefined) throw new RegistryError('LEASE_LOST', { message: 'the request has no header berth-lease' });
  const row = await leasedRun.first(database.read, { lease: hashOfLease(lease), keyId: facts.keyId, runId });
  if (row === undefined) throw new RegistryError('LEASE_LOST');
  return row;
}

/** Keeps what is new of a report. The same may come any number of times. @throws LEASE_LOST */
export async function report(context: RunsContext, reported: ReportOfAgent): Promise<ReportAnswer> {
  const { log = [], logFrom, steps, end } = reported.report;
  const { database, keys, clock, limits, events } = context;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const row = await requireHeld(context, reported);
    // The agent did not hear that its last report was kept.
    if (isEnded(row.status)) return answerOf(row, Math.max(row.log_records, (logFrom ?? 0) + log.length));
    const now = clock.now();
    const from = logFrom ?? row.log_records;
    const { chunk, next } = nextChunk(keys, row, { from, records: log, now }, limits);
    const isMissing = from > next;
    // Without the lines before it an end would be of a log with a hole: the agent says them again.
    const isEnding = end !== undefined && !isMissing;
    if (isEnding) await untagTemporary(context, row, end.temporaryTags);
    const outcome = await database.write(reportRun, {
      rowId: row.id,
      lease: hashOfLease(reported.lease ?? ''),
      knownRecords: row.log_records,
      chunk,
      leasedUntil: now + leaseMs,
      now,
      steps: steps === undefined ? undefined : JSON.stringify(cutSteps(steps)),
      triggerDetails: foundSource(row, reported.report),
      end: isEnding ? endOf(context, row, end) : undefined,
    });
    if (outcome === undefined) throw new RegistryError('LEASE_LOST');
    if (outcome === 'moved') continue;
    if (isEnding) runHasEnded(context, outcome.run, outcome.keyId);
    else events.runChanged(row.id);
    return answerOf(outcome.run, next);
  }
  throw new RegistryError('UNAVAILABLE', { message: 'too many reports of this run came at once; say it again' });
}

function answerOf(row: PlainRunRow, logRecords: number): ReportAnswer {
  return { isCanceled: row.cancel_requested_at !== null, leaseSeconds: leaseMs / 1000, logRecords };
}

/** What an agent found in the source, beside what made the run begin. Undefined: nothing new. */
function foundSource(row: PlainRunRow, { commit, branch }: RunReport): string | undefined {
  if (commit === undefined && branch === undefined) return undefined;
  const details = detailsOf(row.trigger_details);
  const found = {
    ...details,
    ...(commit !== undefined && { commit: commit.slice(0, 128) }),
    ...(branch !== undefined && { branch: branch.slice(0, 1024) }),
  };
  const text = JSON.stringify(found);
  return text === row.trigger_details ? undefined : text;
}

function endOf({ registryById }: RunsContext, row: PlainRunRow, end: NonNullable<RunReport['end']>): EndOfRun {
  const { outcome, message, images, dependencies } = cutEnd(end);
  // An agent that was stopped says so in the same word as one that was asked to cancel.
  const isCanceled = outcome === 'Canceled' && row.cancel_requested_at === null;
  const loginServer = registryById(row.registry_id)?.loginServer.toLowerCase();
  const isOwn = ({ registry, repository }: OutputImage): boolean => registry.toLowerCase() === loginServer && repository !== '';
  return {
    status: isCanceled ? 'Error' : outcome,
    error: message ?? (isCanceled ? `the agent ${row.agent ?? ''} stopped while it executed the run: queue it again` : null),
    images: JSON.stringify(images),
    dependencies: JSON.stringify(dependencies),
    pushed: images.filter(isOwn),
  };
}

/** Before the end is kept: an agent that is not answered says it again. */
async function untagTemporary(context: RunsContext, row: PlainRunRow, tags: readonly string[]): Promise<void> {
  const prefix = `_berth-${row.run_id}-`;
  for (const name of tags.slice(0, maxTemporaryTags)) {
    const colon = name.lastIndexOf(':');
    const [repository, tag] = [name.slice(0, colon), name.slice(colon + 1)];
    if (colon <= 0 || !tag.startsWith(prefix)) continue;
    await context
      .untag(row.registry_id, repository, tag)
      .catch((error: unknown) => context.log.warn({ err: error, run: row.run_id }, 'a temporary tag could not be taken off'));
  }
}

const maxTemporaryTags = 1000;
