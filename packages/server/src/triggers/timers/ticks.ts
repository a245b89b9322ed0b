import type { CronSchedule } from '../../platform/cron/index.ts';

/** What became due of a timer since it was looked at last. Times are ms since the epoch. */
export interface Ticks {
  /** The tick that is now; undefined: all that came due are too old. */
  readonly onTime: number | undefined;
  /** Ticks that nobody saw, because no server ran or it was held up. */
  readonly missed: { readonly count: number; readonly first: number; readonly last: number } | undefined;
  /** The first one that is still to come; undefined: there is none. */
  readonly next: number | undefined;
}

/** A tick this old was missed. */
const lateMs = 60_000;
/** Missed ones are not counted beyond. */
export const maxCounted = 1_000;
/** Where more were missed, the last of them is looked for in so much time before now. */
const lastDayMs = 86_400_000;

/** Sorts the ticks from `due` on, which itself is one. */
export function ticksSince(schedule: CronSchedule, due: number, now: number): Ticks {
  const next = schedule.next(now);
  const isLate = (tick: number): boolean => now - tick > lateMs;
  let onTime = isLate(due) ? undefined : due;
  let count = 0;
  let last = due;
  for (let tick: number | undefined = due; tick !== undefined && tick <= now && count < maxCounted; tick = schedule.next(tick)) {
    if (!isLate(tick)) {
      onTime = tick;
      break;
    }
    count += 1;
    last = tick;
  }
  if (count === 0) return { onTime, missed: undefined, next };
  if (count === maxCounted) {
    for (
      let tick = schedule.next(Math.max(last, now - lastDayMs));
      tick !== undefined && tick <= now;
      tick = schedule.next(tick)
    ) {
      if (isLate(tick)) last = tick;
      else onTime = tick;
    }
  }
  return { onTime, missed: { count, first: due, last }, next };
}
