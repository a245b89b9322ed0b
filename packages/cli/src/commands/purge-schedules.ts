import { cleanup } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';
import { type PurgeOptions, type Totals, criteriaOf, removedText } from './purge.ts';

interface Schedule {
  readonly name: string;
  readonly schedule: string;
  readonly filters?: readonly string[];
  readonly ago?: string;
  readonly keep?: number;
  readonly untagged?: boolean;
  readonly untaggedOnly?: boolean;
  readonly includeLocked?: boolean;
  readonly nextAt: string | null;
  readonly isRunning: boolean;
  readonly lastAt: string | null;
  readonly lastResult: Totals | { readonly problem: string } | null;
}

/** `berth purge-schedule list`. */
export async function listSchedules(connection: Connection, output: Output): Promise<void> {
  const { schedules } = (await callOperation(connection, cleanup.listPurgeSchedules)) as {
    readonly schedules: readonly Schedule[];
  };
  const text =
    schedules.length === 0
      ? "No purge runs by the clock. Make one: berth purge-schedule set nightly --cron '0 1 * * *' --filter '.*:pr-.*' --ago 14d"
      : schedules.map(describe).join('\n');
  show(output, schedules, text);
}

/** `berth purge-schedule set`. */
export async function setSchedule(
  connection: Connection,
  output: Output,
  { name, cron, options }: { readonly name: string; readonly cron: string; readonly options: PurgeOptions },
): Promise<void> {
  const body = { schedule: cron, ...criteriaOf(options) };
  const schedule = (await callOperation(connection, cleanup.putPurgeSchedule, { params: { schedule: name }, body })) as Schedule;
  show(output, schedule, describe(schedule));
}

/** `berth purge-schedule delete`. */
export async function deleteSchedule(connection: Connection, output: Output, name: string): Promise<void> {
  await callOperation(connection, cleanup.deletePurgeSchedule, { params: { schedule: name } });
  show(output, { name }, `The purge schedule ${name} is deleted.`);
}

function describe(each: Schedule): string {
  const { name, schedule, nextAt, isRunning, lastAt, lastResult } = each;
  const next = isRunning ? 'running now' : nextAt === null ? 'never again' : `next at ${nextAt}`;
  const last = lastAt === null || lastResult === null ? '' : `\n  last at ${lastAt}: ${resultText(lastResult)}`;
  return `${name}  "${schedule}" UTC, ${next}\n  ${criteriaText(each)}${last}`;
}

function resultText(result: Totals | { readonly problem: string }): string {
  return 'problem' in result ? result.problem : removedText(result);
}

function criteriaText({ filters = [], ago, keep, untagged, untaggedOnly, includeLocked }: Schedule): string {
  return [
    ...filters.map((filter) => `--filter '${filter}'`),
    ...(ago === undefined ? [] : [`--ago ${ago}`]),
    ...(keep === undefined ? [] : [`--keep ${keep}`]),
    ...(untagged === true ? ['--untagged'] : []),
    ...(untaggedOnly === true ? ['--untagged-only'] : []),
    ...(includeLocked === true ? ['--include-locked'] : []),
  ].join(' ');
}
