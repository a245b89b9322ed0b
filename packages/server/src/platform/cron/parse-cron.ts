import { Cron } from 'croner';

/** When something is due, again and again. */
export interface CronSchedule {
  /** The first time after this one (both ms since the epoch, whole minutes); undefined: never again. */
  next(afterMs: number): number | undefined;
}

const fields = ['minute', 'hour', 'day of the month', 'month', 'day of the week'] as const;
const number = String.raw`(?:\d{1,2}|[A-Za-z]{3})`;
const item = String.raw`(?:\*|${number}(?:-${number})?)(?:/\d{1,2})?`;
const fieldPattern = new RegExp(`^${item}(?:,${item})*$`);
const maxLength = 200;

/**
 * Reads five fields as ACR's timers have them (NCrontab; acr-tasks 6.2): `*`, `,`, `-`, `/`, names of months and days. A day
 * must fit both the day of the month and the day of the week. Times are UTC unless a zone of the IANA database is named.
 * @throws Error whose message says which field is wrong, and goes on after "the schedule"
 */
export function parseCron(text: string, timeZone = 'UTC'): CronSchedule {
  const parts = text.trim().split(/\s+/);
  if (text.length > maxLength || parts.length !== fields.length)
    throw new Error(`has ${parts.length} fields, not the five of ${fields.join(', ')}, such as "0 1 * * Sun"`);
  for (const [index, part] of parts.entries()) if (!fieldPattern.test(part)) throw wrongField(index, part);
  // Each field alone with the others open: so the error can say which one it is.
  for (const [index, part] of parts.entries())
    if (openCron(parts.map((_, at) => (at === index ? part : '*')).join(' ')) === undefined) throw wrongField(index, part);
  if (!isTimeZone(timeZone))
    throw new Error(`names the time zone ${JSON.stringify(timeZone.slice(0, 64))}, which does not exist`);
  const cron = openCron(parts.join(' '), timeZone);
  return { next: (afterMs) => cron?.nextRun(new Date(afterMs))?.getTime() };
}

function openCron(pattern: string, timezone = 'UTC'): Cron | undefined {
  try {
    return new Cron(pattern, { mode: '5-part', timezone, domAndDow: true });
  } catch {
    return undefined;
  }
}

function wrongField(index: number, part: string): Error {
  return new Error(`has ${JSON.stringify(part.slice(0, 40))} for the ${fields[index]}, which it cannot be`);
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
