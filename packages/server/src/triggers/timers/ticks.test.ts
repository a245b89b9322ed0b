import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCron } from '../../platform/cron/index.ts';
import { type Ticks, maxCounted, ticksSince } from './ticks.ts';

const at = (text: string): number => Date.parse(`2030-01-01T${text}Z`);

interface Case {
  readonly what: string;
  readonly schedule: string;
  readonly due: string;
  readonly now: string;
  readonly expected: Ticks;
}

const cases: readonly Case[] = [
  {
    what: 'on time',
    schedule: '*/10 * * * *',
    due: '10:00:00',
    now: '10:00:00.400',
    expected: { onTime: at('10:00:00'), missed: undefined, next: at('10:10:00') },
  },
  {
    what: 'a little late',
    schedule: '*/10 * * * *',
    due: '10:00:00',
    now: '10:01:00',
    expected: { onTime: at('10:00:00'), missed: undefined, next: at('10:10:00') },
  },
  {
    what: 'too late',
    schedule: '*/10 * * * *',
    due: '10:00:00',
    now: '10:01:00.001',
    expected: { onTime: undefined, missed: { count: 1, first: at('10:00:00'), last: at('10:00:00') }, next: at('10:10:00') },
  },
  {
    what: 'some missed, and the last on time',
    schedule: '*/10 * * * *',
    due: '10:00:00',
    now: '10:30:05',
    expected: { onTime: at('10:30:00'), missed: { count: 3, first: at('10:00:00'), last: at('10:20:00') }, next: at('10:40:00') },
  },
  {
    what: 'every minute, of which one is on time',
    schedule: '* * * * *',
    due: '10:00:00',
    now: '10:03:30',
    expected: { onTime: at('10:03:00'), missed: { count: 3, first: at('10:00:00'), last: at('10:02:00') }, next: at('10:04:00') },
  },
  {
    what: 'every minute for a day: not all are counted',
    schedule: '* * * * *',
    due: '00:00:00',
    now: '20:00:30',
    expected: {
      onTime: at('20:00:00'),
      missed: { count: maxCounted, first: at('00:00:00'), last: at('19:59:00') },
      next: at('20:01:00'),
    },
  },
];
for (const { what, schedule, due, now, expected } of cases) {
  test(what, () => assert.deepEqual(ticksSince(parseCron(schedule), at(due), at(now)), expected));
}

test('a day that never comes again has no next', () => {
  const schedule = { next: () => undefined };
  assert.deepEqual(ticksSince(schedule, 1_000, 1_500), { onTime: 1_000, missed: undefined, next: undefined });
});
