import { parseCron } from '../../platform/cron/index.ts';
import type { Task, TimerTrigger } from '../../tasks/index.ts';
import type { TriggersContext } from '../triggers-context.ts';
import { timersOf } from './queries.ts';
import { type TimerToKeep, isSame, keepTimers } from './transactions.ts';

/** Brings the rows of a task's timers to what the task says. */
export async function reconcileTimers({ database, clock }: TriggersContext, task: Task): Promise<void> {
  const { registryId, name, properties } = task;
  const isEnabled = properties.status === 'Enabled';
  const timers = properties.trigger.timerTriggers.map((timer) => timerToKeep(timer, { isEnabled, now: clock.now() }));
  const rows = await timersOf(database.read, { registryId, task: name });
  const isKept = rows.length === timers.length && timers.every((timer) => rows.some((row) => isSame(row, timer)));
  if (!isKept) await database.write(keepTimers, { registryId, task: name, timers });
}

function timerToKeep(
  { name, schedule, status, timeZone = 'UTC', overlap = 'allow', catchUp = false }: TimerTrigger,
  { isEnabled, now }: { readonly isEnabled: boolean; readonly now: number },
): TimerToKeep {
  const nextAt = isEnabled && status === 'Enabled' ? nextOf(schedule, timeZone, now) : null;
  return { name, schedule, timeZone, overlap, isCatchingUp: catchUp, nextAt };
}

/** Null: never; of a schedule that an older server took and this one cannot read, too. */
function nextOf(schedule: string, timeZone: string, now: number): number | null {
  try {
    return parseCron(schedule, timeZone).next(now) ?? null;
  } catch {
    return null;
  }
}
