import type { OutputImage, RunStatus } from '@berth/api';
import { type WriteQueries, defineTransaction, lockRows } from '../platform/database/index.ts';
import { dropRunKey } from '../platform/run-keys/index.ts';
import { releaseSource } from './queue/transactions.ts';
import type { NewChunk } from './log/log-chunk.ts';
import { type PlainRunRow, runColumns } from './run-facts.ts';

/** Why the server ends a run: it is looked at again in the transaction that does. */
export type EndReason =
  | { readonly kind: 'lease-expired' }
  /** Its agent does not hold it any more. */
  | { readonly kind: 'abandoned'; readonly keyId: string; readonly agent: string }
  /** It could not be given to the agent that claimed it. */
  | { readonly kind: 'not-assigned'; readonly lease: string }
  | { readonly kind: 'queued-too-long' }
  /** It has taken longer than it may, or its agent does not cancel it. */
  | { readonly kind: 'overdue'; readonly startedBefore: number }
  | { readonly kind: 'not-canceled'; readonly canceledBefore: number };

export interface EndRun {
  readonly rowId: number;
  readonly reason: EndReason;
  readonly status: 'Error' | 'Timeout' | 'Canceled';
  readonly error: string;
  readonly now: number;
  readonly chunk: NewChunk | undefined;
  readonly knownRecords: number;
}

/** A run as it is now. */
export interface ChangedRun {
  readonly run: PlainRunRow;
  /** The credential that ended with it. */
  readonly keyId?: string;
}

/** Undefined: the reason holds no more. `moved`: the log has grown meanwhile. */
export const endRun = defineTransaction('runs.end', async (tx, input: EndRun): Promise<ChangedRun | 'moved' | undefined> => {
  const { rowId, reason, status, error, now, chunk, knownRecords } = input;
  const row = await lockRows(
    tx
      .selectFrom('runs')
      .select([...runColumns, 'lease'])
      .where('id', '=', rowId),
  ).executeTakeFirst();
  if (row === undefined || !holds(reason, row, now)) return undefined;
  if (row.log_records !== knownRecords) return 'moved';
  if (chunk !== undefined) await addChunk(tx, rowId, chunk);
  const ended = await tx
    .updateTable('runs')
    .set({
      status,
      error,
      finished_at: now,
      updated_at: now,
      // Whoever still reports learns that it is over.
      lease: null,
      leased_until: null,
      steps: JSON.stringify(endedSteps(row.steps, now)),
      ...(chunk && grownBy(row, chunk)),
    })
    .where('id', '=', rowId)
    .returning(runColumns)
    .executeTakeFirstOrThrow();
  await releaseSource(tx, rowId, now);
  return withoutKey(tx, ended);
});

/** A run that is over signs in no more, from the same moment. */
async function withoutKey(tx: WriteQueries, run: PlainRunRow): Promise<ChangedRun> {
  const keyId = await dropRunKey(tx, run.registry_id, run.run_id);
  return { run, ...(keyId !== undefined && { keyId }) };
}

function holds(reason: EndReason, row: PlainRunRow & { readonly lease: string | null }, now: number): boolean {
  const isHeld = row.leased_until !== null;
  switch (reason.kind) {
    case 'lease-expired':
      return row.leased_until !== null && row.leased_until < now;
    case 'abandoned':
      return isHeld && row.agent_key_id === reason.keyId && row.agent === reason.agent;
    case 'not-assigned':
      return isHeld && row.lease === reason.lease;
    case 'queued-too-long':
      return row.status === 'Queued';
    case 'overdue':
      return isHeld && row.started_at !== null && row.started_at < reason.startedBefore;
    case 'not-canceled':
      return isHeld && row.cancel_requested_at !== null && row.cancel_requested_at < reason.canceledBefore;
  }
}

/** Nothing runs or waits in a run that is over. */
function endedSteps(text: string, now: number): unknown[] {
  const steps = JSON.parse(text) as { state: string; finishedAt: string | null }[];
  return steps.map((step) => {
    if (step.state === 'running') return { ...step, state: 'canceled', finishedAt: new Date(now).toISOString() };
    return step.state === 'waiting' ? { ...step, state: 'skipped' } : step;
  });
}

export interface ReportOfRun {
  readonly rowId: number;
  readonly lease: string;
  /** As the row was read; another report may have come in between. */
  readonly knownRecords: number;
  readonly chunk: NewChunk | undefined;
  readonly leasedUntil: number;
  readonly now: number;
  /** JSON; undefined: as they were. */
  readonly steps: string | undefined;
  readonly triggerDetails: string | undefined;
  readonly end: EndOfRun | undefined;
}

export interface EndOfRun {
  readonly status: Exclude<RunStatus, 'Queued' | 'Started' | 'Running'>;
  readonly error: string | null;
  /** JSON. */
  readonly images: string;
  readonly dependencies: string;
  /** Those of the run's own registry. */
  readonly pushed: readonly Pick<OutputImage, 'repository' | 'tag' | 'digest'>[];
}

/** Undefined: the lease is not that of a run in work. `moved`: read the row again. */
export const reportRun = defineTransaction(
  'runs.report',
  async (tx, input: ReportOfRun): Promise<ChangedRun | 'moved' | undefined> => {
    const { rowId, lease, knownRecords, chunk, leasedUntil, now, steps, triggerDetails, end } = input;
    const query = tx.selectFrom('runs').select(['registry_id', 'status', 'lease', 'leased_until', 'log_records', 'log_bytes']);
    const row = await lockRows(query.where('id', '=', rowId)).executeTakeFirst();
    if (row === undefined || row.lease !== lease || row.leased_until === null) return undefined;
    if (row.log_records !== knownRecords) return 'moved';
    if (chunk !== undefined) await addChunk(tx, rowId, chunk);
    const changed = await tx
      .updateTable('runs')
      .set({
        status: end?.status ?? 'Running',
        leased_until: end === undefined ? leasedUntil : null,
        ...(isNews(row.status, input) && { updated_at: now }),
        ...(chunk && grownBy(row, chunk)),
        ...(steps !== undefined && { steps }),
        ...(triggerDetails !== undefined && { trigger_details: triggerDetails }),
        ...(end && { error: end.error, images: end.images, dependencies: end.dependencies, finished_at: now }),
      })
      .where('id', '=', rowId)
      .returning(runColumns)
      .executeTakeFirstOrThrow();
    if (end === undefined) return { run: changed };
    await addImages(tx, row.registry_id, rowId, end);
    await releaseSource(tx, rowId, now);
    return withoutKey(tx, changed);
  },
);

/** Whether whoever watches the run sees anything new in its document, beside the log. */
function isNews(status: RunStatus, { steps, triggerDetails, end }: ReportOfRun): boolean {
  return status === 'Started' || steps !== undefined || triggerDetails !== undefined || end !== undefined;
}

async function addImages(tx: WriteQueries, registryId: number, rowId: number, { pushed }: EndOfRun): Promise<void> {
  if (pushed.length === 0) return;
  await tx
    .insertInto('run_images')
    .values(
      pushed.map(({ repository, tag, digest }) => ({
        run_row_id: rowId,
        registry_id: registryId,
        repository,
        tag: tag ?? '',
        digest,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function addChunk(tx: WriteQueries, rowId: number, chunk: NewChunk): Promise<void> {
  const nowhere = { object_id: null, object_offset: null, object_bytes: null };
  await tx
    .insertInto('run_log_chunks')
    .values({ run_row_id: rowId, ...chunk, ...nowhere })
    .execute();
}

function grownBy(
  row: { readonly log_records: number; readonly log_bytes: number },
  chunk: NewChunk,
): { readonly log_records: number; readonly log_bytes: number } {
  return { log_records: row.log_records + chunk.records, log_bytes: row.log_bytes + chunk.raw_bytes };
}

export interface GrowLog {
  readonly rowId: number;
  readonly chunk: NewChunk;
  readonly knownRecords: number;
}

/** Adds to the log of a run that no agent has yet. False: one has, or somebody else was first. */
export const growQueuedLog = defineTransaction(
  'runs.grow-queued-log',
  async (tx, { rowId, chunk, knownRecords }: GrowLog): Promise<boolean> => {
    const query = tx.selectFrom('runs').select(['status', 'log_records', 'log_bytes']).where('id', '=', rowId);
    const row = await lockRows(query).executeTakeFirst();
    if (row?.status !== 'Queued' || row.log_records !== knownRecords) return false;
    await addChunk(tx, rowId, chunk);
    await tx.updateTable('runs').set(grownBy(row, chunk)).where('id', '=', rowId).execute();
    return true;
  },
);

export const runTransactions = [endRun, reportRun, growQueuedLog];
