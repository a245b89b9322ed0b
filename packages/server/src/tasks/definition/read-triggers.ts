import { parseCron } from '../../platform/cron/index.ts';
import { type Fields, invalid } from '../../resources/index.ts';
import type { BaseImageTrigger, TaskTriggers, TimerTrigger } from '../model.ts';
import type { ReadScene } from './read-scene.ts';
import { readSourceTrigger } from './read-source-trigger.ts';

const maxTriggers = 50;
const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/;
const statuses = ['Enabled', 'Disabled'] as const;

/** Reads `trigger`: those with the name of one that was there change it, others are added. @throws INVALID_PARAMETER */
export function readTriggers(properties: Fields, before: TaskTriggers | undefined, scene: ReadScene): TaskTriggers {
  const trigger = properties.object('trigger');
  const baseImageTrigger = readBaseImage(trigger, before?.baseImageTrigger);
  return {
    timerTriggers: mergeByName(trigger, 'timerTriggers', before?.timerTriggers ?? [], readTimer),
    sourceTriggers: mergeByName(trigger, 'sourceTriggers', before?.sourceTriggers ?? [], (fields, known) =>
      readSourceTrigger(fields, known, scene),
    ),
    ...(baseImageTrigger !== undefined && { baseImageTrigger }),
  };
}

function mergeByName<Trigger extends { readonly name: string }>(
  trigger: Fields,
  list: 'timerTriggers' | 'sourceTriggers',
  before: readonly Trigger[],
  read: (fields: Fields, before: Trigger | undefined) => Trigger,
): readonly Trigger[] {
  const merged = new Map(before.map((each) => [each.name.toLowerCase(), each]));
  const seen = new Set<string>();
  for (const fields of trigger.objects(list, maxTriggers) ?? []) {
    const key = readName(fields).toLowerCase();
    if (seen.has(key)) throw invalid(fields.at('name'), 'is the name of another trigger of this task, too');
    seen.add(key);
    merged.set(key, read(fields, merged.get(key)));
  }
  if (merged.size > maxTriggers) throw invalid(trigger.at(list), `are more than ${maxTriggers} with those that are there`);
  return [...merged.values()];
}

function readName(fields: Fields): string {
  const name = fields.requiredText('name');
  if (!namePattern.test(name))
    throw invalid(fields.at('name'), 'must be 1 to 64 letters, digits, "-", "_" and ".", with a letter or a digit at its ends');
  return name;
}

function readTimer(fields: Fields, before: TimerTrigger | undefined): TimerTrigger {
  const schedule = fields.text('schedule', 200) ?? before?.schedule ?? fields.requiredText('schedule');
  const timeZone = fields.text('timeZone', 64) ?? before?.timeZone;
  requireSchedule(schedule, timeZone === '' ? undefined : timeZone, fields.at('schedule'));
  const overlap = fields.oneOf('overlap', ['allow', 'skip']) ?? before?.overlap;
  const catchUp = fields.boolean('catchUp') ?? before?.catchUp;
  return {
    name: before?.name ?? readName(fields),
    schedule,
    status: fields.oneOf('status', statuses) ?? before?.status ?? 'Enabled',
    ...(timeZone !== undefined && timeZone !== '' && { timeZone }),
    ...(overlap !== undefined && { overlap }),
    ...(catchUp !== undefined && { catchUp }),
  };
}

function requireSchedule(schedule: string, timeZone: string | undefined, at: string): void {
  let next: number | undefined;
  try {
    next = parseCron(schedule, timeZone).next(0);
  } catch (error) {
    throw invalid(at, error instanceof Error ? error.message : 'is none');
  }
  if (next === undefined) throw invalid(at, 'names a day that never comes');
}

function readBaseImage(trigger: Fields, before: BaseImageTrigger | undefined): BaseImageTrigger | undefined {
  if (!trigger.has('baseImageTrigger') || trigger.isNull('baseImageTrigger')) return before;
  const fields = trigger.object('baseImageTrigger');
  const endpoint = fields.text('updateTriggerEndpoint', 2048) ?? before?.updateTriggerEndpoint;
  if (endpoint !== undefined && endpoint !== '' && !/^https?:\/\/[^\s]+$/.test(endpoint))
    throw invalid(fields.at('updateTriggerEndpoint'), 'must be an address that begins with https:// or http://');
  const payload = fields.oneOf('updateTriggerPayloadType', ['Default', 'Token']) ?? before?.updateTriggerPayloadType;
  return {
    name: fields.has('name') && !fields.isNull('name') ? readName(fields) : (before?.name ?? 'defaultBaseimageTriggerName'),
    baseImageTriggerType: fields.oneOf('baseImageTriggerType', ['Runtime', 'All']) ?? before?.baseImageTriggerType ?? 'Runtime',
    status: fields.oneOf('status', statuses) ?? before?.status ?? 'Enabled',
    ...(endpoint !== undefined && endpoint !== '' && { updateTriggerEndpoint: endpoint }),
    ...(payload !== undefined && { updateTriggerPayloadType: payload }),
  };
}
