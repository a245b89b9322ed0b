import { resolve } from 'node:path';
import { Secret } from './secret.ts';
import type { Setting } from './setting.ts';

export type SettingValue = string | number | boolean | readonly string[] | Secret;

/** What is wrong with one value, to stand after the name of its setting. */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem';
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnits: Readonly<Record<string, number>> = { B: 1, KB: 1e3, KiB: 2 ** 10, MB: 1e6, MiB: 2 ** 20, GB: 1e9, GiB: 2 ** 30 };

/** @throws ValueProblem */
export function parseValue(setting: Setting, text: string, cwd: string): SettingValue {
  const problem = setting.check?.(text);
  if (problem !== undefined) throw new ValueProblem(problem);
  switch (setting.kind) {
    case 'text':
      return text;
    case 'json':
      return jsonOf(text);
    case 'path':
      return resolve(cwd, text);
    case 'secret':
      return new Secret(text);
    case 'list':
      return text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
    case 'choice':
      return choiceOf(setting, text);
    case 'switch':
      return switchOf(text);
    case 'integer':
      return bounded(setting, integerOf(text));
    case 'duration':
      return bounded(setting, amountOf(text, durationUnits, 'a duration such as 90s, 15m or 24h'));
    case 'size':
      return bounded(setting, amountOf(text, sizeUnits, 'a size such as 512KiB or 64MiB'));
  }
}

function choiceOf({ choices = [] }: Setting, text: string): string {
  if (!choices.includes(text)) throw new ValueProblem(`must be one of ${choices.join(', ')}`);
  return text;
}

/** Whoever knows the names in it reads it. */
function jsonOf(text: string): string {
  if (text === '') return text;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {
    // The sentence below says it all.
  }
  throw new ValueProblem('must be a JSON object');
}

function switchOf(text: string): boolean {
  if (text === 'true' || text === '1' || text === 'on' || text === 'yes') return true;
  if (text === 'false' || text === '0' || text === 'off' || text === 'no') return false;
  throw new ValueProblem('must be true or false');
}

function integerOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new ValueProblem('must be a whole number');
  return Number(text);
}

function amountOf(text: string, units: Readonly<Record<string, number>>, wanted: string): number {
  const match = /^(\d{1,12})([A-Za-z]{1,3})$/.exec(text);
  const unit = Object.hasOwn(units, match?.[2] ?? '') ? units[match?.[2] ?? ''] : undefined;
  if (match === null || unit === undefined) throw new ValueProblem(`must be ${wanted}`);
  return Number(match[1]) * unit;
}

function bounded({ min, max }: Setting, value: number): number {
  if (min !== undefined && value < min) throw new ValueProblem(`must be at least ${min}`);
  if (max !== undefined && value > max) throw new ValueProblem(`must be at most ${max}`);
  return value;
}
