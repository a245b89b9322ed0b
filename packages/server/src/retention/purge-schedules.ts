import { RegistryError } from '../errors/index.ts';
import { type CronSchedule, parseCron } from '../platform/cron/index.ts';
import type { RetentionContext } from './model.ts';
import { type PurgeRequest, requirePurge } from './purge.ts';
import { isRuleName } from './rules.ts';
import { type StoredSchedule, storedSchedule, storedSchedules } from './schedule-queries.ts';
import { deleteSchedule, putSchedule } from './schedule-transactions.ts';
import type { SweepTotals } from './sweep.ts';

/** What is asked of a purge that nobody waits for. */
export type ScheduledRequest = Omit<PurgeRequest, 'dryRun' | 'cursor'>;

/** A purge that runs by the clock. Times are ms since the epoch. */
export interface PurgeSchedule {
  readonly name: string;
  readonly schedule: string;
  readonly request: ScheduledRequest;
  /** Null: never again. */
  readonly nextAt: number | null;
  readonly isRunning: boolean;
  readonly last: LastPurge | null;
}

export interface LastPurge {
  readonly at: number;
  readonly result: PurgeResult;
}

export type PurgeResult = SweepTotals | { readonly problem: string };

const maxSchedules = 100;

export async function listSchedules(
  { database, clock }: RetentionContext,
  registryId: number,
): Promise<readonly PurgeSchedule[]> {
  return (await storedSchedules(database.read, registryId)).map((row) => scheduleOf(row, clock.now()));
}

/** @throws NOT_FOUND */
export async function showSchedule(
  { database, clock }: RetentionContext,
  registryId: number,
  name: string,
): Promise<PurgeSchedule> {
  const row = isRuleName(name) ? await storedSchedule(database.read, registryId, name) : undefined;
  if (row === undefined) throw scheduleUnknown(name);
  return scheduleOf(row, clock.now());
}

/** @throws INVALID_PARAMETER naming the field; QUOTA_EXCEEDED */
export async function setSchedule(
  { database, clock }: RetentionContext,
  registryId: number,
  { name, schedule, request }: Pick<PurgeSchedule, 'name' | 'schedule' | 'request'>,
): Promise<'created' | 'replaced'> {
  if (!isRuleName(name)) {
    const message = `"${name.slice(0, 64)}" is no name of a schedule: write up to 64 lower-case letters, digits and hyphens`;
    throw new RegistryError('INVALID_PARAMETER', { message, target: 'name' });
  }
  await requirePurge(request);
  const now = clock.now();
  const nextAt = readSchedule(schedule).next(now);
  if (nextAt === undefined)
    throw new RegistryError('INVALID_PARAMETER', { message: 'the schedule names a day that never comes', target: 'schedule' });
  const text = JSON.stringify(request);
  return database.write(putSchedule, { registryId, name, schedule, request: text, nextAt, maxSchedules, now });
}

/** @throws NOT_FOUND */
export async function removeSchedule({ database }: RetentionContext, registryId: number, name: string): Promise<void> {
  const isDeleted = isRuleName(name) && (await database.write(deleteSchedule, { registryId, name }));
  if (!isDeleted) throw scheduleUnknown(name);
}

/** @throws INVALID_PARAMETER */
export function readSchedule(text: string): CronSchedule {
  try {
    return parseCron(text);
  } catch (error) {
    const message = `the schedule ${error instanceof Error ? error.message : 'is none'}`;
    throw new RegistryError('INVALID_PARAMETER', { message, target: 'schedule' });
  }
}

/** The texts are ours: they were parsed before they were stored. */
function scheduleOf(row: StoredSchedule, now: number): PurgeSchedule {
  const { name, schedule, request, next_at, held_until, last_at, last_result } = row;
  return {
    name,
    schedule,
    request: JSON.parse(request) as ScheduledRequest,
    nextAt: next_at,
    isRunning: held_until !== null && held_until > now,
    last: last_at === null || last_result === null ? null : { at: last_at, result: JSON.parse(last_result) as PurgeResult },
  };
}

function scheduleUnknown(name: string): RegistryError {
  return new RegistryError('NOT_FOUND', { message: `there is no purge schedule "${name.slice(0, 64)}"` });
}
