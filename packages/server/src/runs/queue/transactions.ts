import type { Insertable } from 'kysely';
import { RegistryError } from '../../errors/index.ts';
import { type RunRow, type WriteQueries, defineTransaction, lockRows } from '../../platform/database/index.ts';
import type { RunStatus } from '@berth/api';
import { type PlainRunRow, runColumns } from '../run-facts.ts';
import { findRun, queued } from '../queries.ts';

/** The number of the next run of a registry. One that is not used after all is missing, and nobody minds. */
export const takeRunNumber = defineTransaction('runs.take-number', async (tx, input: { registryId: number }): Promise<number> => {
  const { last } = await tx
    .insertInto('run_counters')
    .values({ registry_id: input.registryId, last: 1 })
    .onConflict((conflict) => conflict.column('registry_id').doUpdateSet((eb) => ({ last: eb('run_counters.last', '+', 1) })))
    .returning('last')
    .executeTakeFirstOrThrow();
  return last;
});

export interface QueueRun {
  readonly row: Insertable<RunRow>;
  readonly maxQueued: number;
  /** The upload that it takes, and whose it must be. */
  readonly source: { readonly id: string; readonly owner: string } | undefined;
}

/** @throws TOOMANYREQUESTS when the queue is full, INVALID_PARAMETER when its source cannot be used */
export const queueRun = defineTransaction('runs.queue', async (tx, input: QueueRun): Promise<PlainRunRow> => {
  const { row, maxQueued, source } = input;
  // The counter's row is taken by whoever queues, so that two cannot both be the last that fits.
  await lockRows(tx.selectFrom('run_counters').select('last').where('registry_id', '=', row.registry_id)).execute();
  const waiting = await tx
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('status', '=', queued)
    .where('registry_id', '=', row.registry_id)
    .executeTakeFirst();
  if (Number(waiting?.count ?? 0) >= maxQueued)
    throw new RegistryError('TOOMANYREQUESTS', {
      message: `${maxQueued} runs wait in the queue already; wait until some have ended, or cancel some`,
      headers: { 'Retry-After': '30' },
    });
  const added = await tx.insertInto('runs').values(row).returning(runColumns).executeTakeFirstOrThrow();
  if (source !== undefined) await takeSource(tx, { ...source, row: added });
  return added;
});

/** @throws INVALID_PARAMETER */
async function takeSource(
  tx: WriteQueries,
  { id, owner, row }: { readonly id: string; readonly owner: string; readonly row: PlainRunRow },
): Promise<void> {
  const taken = await tx
    .updateTable('run_objects')
    .set({ run_row_id: row.id, expires_at: null })
    .where('id', '=', id)
    .where('registry_id', '=', row.registry_id)
    .where('kind', '=', 'source')
    .where('owner', '=', owner)
    .where('run_row_id', 'is', null)
    .where('size_bytes', 'is not', null)
    .where('expires_at', '>', row.created_at)
    .returning('id')
    .executeTakeFirst();
  if (taken !== undefined) return;
  throw new RegistryError('INVALID_PARAMETER', {
    message: `there is no upload ${JSON.stringify(id.slice(0, 64))} of yours that is whole and not used yet: upload the source again`,
    target: 'source',
  });
}

export interface ChangeRun {
  readonly registryId: number;
  readonly runId: string;
  readonly now: number;
}

/** At once while it waits; otherwise its agent is told. `wasQueued`: it has just ended. */
export const cancelRun = defineTransaction(
  'runs.cancel',
  async (tx, { registryId, runId, now }: ChangeRun): Promise<{ row: PlainRunRow; wasQueued: boolean } | undefined> => {
    const found = await lockRun(tx, registryId, runId);
    if (found === undefined) return undefined;
    const row = await findRun(tx, registryId, runId);
    if (row === undefined) return undefined;
    if (isOver(row.status) || row.cancel_requested_at !== null) return { row, wasQueued: false };
    const wasQueued = row.status === 'Queued';
    const changed = await tx
      .updateTable('runs')
      .set({
        cancel_requested_at: now,
        updated_at: now,
        ...(wasQueued && { status: 'Canceled' as const, finished_at: now }),
      })
      .where('id', '=', row.id)
      .returning(runColumns)
      .executeTakeFirstOrThrow();
    if (wasQueued) await releaseSource(tx, row.id, now);
    return { row: changed, wasQueued };
  },
);

export const archiveRun = defineTransaction(
  'runs.archive',
  async (tx, { registryId, runId, now, isArchived }: ChangeRun & { readonly isArchived: boolean }) =>
    tx
      .updateTable('runs')
      .set({ is_archived: isArchived ? 1 : 0, updated_at: now })
      .where('registry_id', '=', registryId)
      .where('run_id', '=', runId)
      .returning(runColumns)
      .executeTakeFirst(),
);

function lockRun(tx: WriteQueries, registryId: number, runId: string): Promise<{ readonly id: number } | undefined> {
  const query = tx.selectFrom('runs').select('id').where('registry_id', '=', registryId).where('run_id', '=', runId);
  return lockRows(query).executeTakeFirst();
}

/** Nobody needs the files of a run that has ended: collection takes them. */
export async function releaseSource(tx: WriteQueries, rowId: number, now: number): Promise<void> {
  await tx
    .updateTable('run_objects')
    .set({ expires_at: now })
    .where('run_row_id', '=', rowId)
    .where('kind', '=', 'source')
    .execute();
}

function isOver(status: RunStatus): boolean {
  return status !== 'Queued' && status !== 'Started' && status !== 'Running';
}

export const queueTransactions = [takeRunNumber, queueRun, cancelRun, archiveRun];
