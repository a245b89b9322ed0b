import { RegistryError } from '../errors/index.ts';

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/** As long as `acr purge` goes. */
const maxYears = 150;
const maxMs = maxYears * 365 * unitsMs.d;

const form = /^(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,12})s)?$/;

/** `30d`, `3h` or `1d3h15m` in milliseconds. @throws INVALID_PARAMETER naming the field */
export function parseDuration(text: string, target: string): number {
  const match = form.exec(text);
  if (match === null) {
    throw new RegistryError('INVALID_PARAMETER', {
      message: `${target}: "${text.slice(0, 60)}" is no duration; write days, hours, minutes and seconds such as 30d, 12h or 1d3h15m`,
      target,
    });
  }
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  const ms = Number(days) * unitsMs.d + Number(hours) * unitsMs.h + Number(minutes) * unitsMs.m + Number(seconds) * unitsMs.s;
  if (ms <= maxMs) return ms;
  throw new RegistryError('INVALID_PARAMETER', {
    message: `${target}: "${text}" is longer than ${maxYears} years`,
    target,
  });
}
