import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCron } from './parse-cron.ts';

const at = (text: string): number => Date.parse(text);

const cases: readonly (readonly [schedule: string, after: string, next: string, zone?: string])[] = [
  ['0 21 * * *', '2030-01-01T20:59:59Z', '2030-01-01T21:00:00Z'],
  ['0 21 * * *', '2030-01-01T21:00:00Z', '2030-01-02T21:00:00Z'],
  ['*/15 * * * *', '2030-01-01T00:01:00Z', '2030-01-01T00:15:00Z'],
  ['0 0 * * Sun', '2030-01-01T00:00:00Z', '2030-01-06T00:00:00Z'],
  ['30 9 1,15 jan-mar *', '2030-01-15T09:30:00Z', '2030-02-01T09:30:00Z'],
  // Both: the first Friday that is a 13th.
  ['0 12 13 * 5', '2030-01-01T00:00:00Z', '2030-09-13T12:00:00Z'],
  ['0 2 29 2 *', '2030-01-01T00:00:00Z', '2032-02-29T02:00:00Z'],
  ['0 9 * * *', '2030-07-01T00:00:00Z', '2030-07-01T07:00:00Z', 'Europe/Paris'],
];
for (const [schedule, after, next, zone] of cases) {
  test(`${schedule} ${zone ?? ''} after ${after} is ${next}`, () => {
    assert.equal(parseCron(schedule, zone).next(at(after)), at(next));
  });
}

const refused: readonly (readonly [schedule: string, words: RegExp, zone?: string])[] = [
  ['', /has 1 fields/],
  ['* * * *', /has 4 fields, not the five/],
  ['0 * * * * *', /has 6 fields/],
  ['60 * * * *', /"60" for the minute/],
  ['0 24 * * *', /"24" for the hour/],
  ['0 0 0 * *', /"0" for the day of the month/],
  ['0 0 * 13 *', /"13" for the month/],
  ['0 0 * * Someday', /"Someday" for the day of the week/],
  ['0 0 L * *', /"L" for the day of the month/],
  ['0 0 * * 5#3', /"5#3" for the day of the week/],
  ['*/0 * * * *', /"\*\/0" for the minute/],
  ['5-1 * * * *', /"5-1" for the minute/],
  ['@daily', /has 1 fields/],
  [`${'1,'.repeat(200)}1 * * * *`, /fields/],
  ['0 0 * * *', /time zone "Nowhere"/, 'Nowhere'],
];
for (const [schedule, words, zone] of refused) {
  test(`refuses ${JSON.stringify(schedule.slice(0, 40))}`, () => {
    assert.throws(() => parseCron(schedule, zone), words);
  });
}

test('a day that never comes is never due', () => {
  assert.equal(parseCron('0 0 31 2 *').next(at('2030-01-01T00:00:00Z')), undefined);
});
