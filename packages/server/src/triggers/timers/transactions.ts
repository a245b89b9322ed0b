import type { Selectable } from 'kysely';
import { type TaskTimerRow, defineTransaction, lockFreeRows } from '../../platform/database/index.ts';
import type { TriggerDecision } from '../decisions/model.ts';
import { keepDecisions } from '../decisions/transactions.ts';

export type StoredTimer = Selectable<TaskTimerRow>;

export interface TimerToKeep {
  readonly name: string;
  readonly schedule: string;
  readonly timeZone: string;
  readonly overlap: TaskTimerRow['overlap'];
  readonly isCatchingUp: boolean;
  /** Null: it is disabled, or never due. */
  readonly nextAt: number | null;
}

export interface KeepTimers {
  readonly registryId: number;
  readonly task: string;
  /** All of the task. */
  readonly timers: readonly TimerToKeep[];
}

/** Brings the rows of a task's timers to what they are now. One that is as it was keeps its time. */
export const keepTimers = defineTransaction('triggers.keep-timers', async (tx, input: KeepTimers): Promise<void> => {
  const { registryId: registry_id, task, timers } = input;
  const rows = await tx
    .selectFrom('task_timers')
    .selectAll()
    .where('registry_id', '=', registry_id)
    .where('task', '=', task)
    .execute();
  const names = new Set(timers.map(({ name }) => name));
  for (const { name } of rows)
    if (!names.has(name))
      await tx
        .deleteFrom('task_timers')
        .where('registry_id', '=', registry_id)
        .where('task', '=', task)
        .where('name', '=', name)
        .execute();
  for (const timer of timers) {
    if (rows.some((row) => isSame(row, timer))) continue;
    const { name, schedule, timeZone: time_zone, overlap, nextAt: next_at } = timer;
    const said = { schedule, time_zone, overlap, catch_up: timer.isCatchingUp ? 1 : 0, next_at, held_until: null };
    await tx
      .insertInto('task_timers')
      .values({ registry_id, task, name, last_run: null, ...said })
      .onConflict((conflict) => conflict.columns(['registry_id', 'task', 'name']).doUpdateSet(said))
      .execute();
  }
});

/** A row that waits for its time is not given another one; one that is disabled is as it is said. */
export function isSame(row: StoredTimer, timer: TimerToKeep): boolean {
  return (
    row.name === timer.name &&
    row.schedule === timer.schedule &&
    row.time_zone === timer.timeZone &&
    row.overlap === timer.overlap &&
    row.catch_up === (timer.isCatchingUp ? 1 : 0) &&
    (row.next_at === null) === (timer.nextAt === null)
  );
}

/** Takes the timer that has been due the longest, unless another process holds it; undefined: none is due. */
export const takeDueTimer = defineTransaction(
  'triggers.take-due-timer',
  async (tx, { now, heldUntil }: { readonly now: number; readonly heldUntil: number }): Promise<StoredTimer | undefined> => {
    const due = await lockFreeRows(
      tx
        .selectFrom('task_timers')
        .selectAll()
        .where('next_at', '<=', now)
        .where((eb) => eb.or([eb('held_until', 'is', null), eb('held_until', '<=', now)]))
        .orderBy('next_at')
        .limit(1),
    ).executeTakeFirst();
    if (due === undefined) return undefined;
    await tx
      .updateTable('task_timers')
      .set({ held_until: heldUntil })
      .where('registry_id', '=', due.registry_id)
      .where('task', '=', due.task)
      .where('name', '=', due.name)
      .execute();
    return due;
  },
);

export interface EndTick {
  readonly registryId: number;
  readonly task: string;
  readonly name: string;
  readonly heldUntil: number;
  /** A time at which the same tick is tried again, or when the next one is due. */
  readonly due: { readonly retryAt: number } | { readonly nextAt: number | null };
  /** Absent: the last one stays. */
  readonly run?: string | undefined;
  readonly decisions: readonly TriggerDecision[];
  readonly now: number;
}

/** Ends what a timer came due for. Whoever changed the timer meanwhile has said when it is due. */
export const endTick = defineTransaction('triggers.end-tick', async (tx, input: EndTick): Promise<void> => {
  const { registryId, task, name, heldUntil, due, run, decisions, now } = input;
  const times = 'retryAt' in due ? { held_until: due.retryAt } : { next_at: due.nextAt, held_until: null };
  await tx
    .updateTable('task_timers')
    .set({ ...times, ...(run !== undefined && { last_run: run }) })
    .where('registry_id', '=', registryId)
    .where('task', '=', task)
    .where('name', '=', name)
    .where('held_until', '=', heldUntil)
    .execute();
  await keepDecisions(tx, decisions, now);
});
