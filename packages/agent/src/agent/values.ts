import { AgentRefusal } from './refusal.ts';

/** A whole number from 1. @throws AgentRefusal */
export function parseCount(name: string, text: string, max: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw wrong(name, text, `a whole number from 1 to ${max}`);
}

/** Seconds, or `90s`, `15m`, `2h`. @throws AgentRefusal */
export function parseSeconds(name: string, text: string): number {
  const match = /^(\d{1,9})([smh]?)$/.exec(text);
  if (match === null) throw wrong(name, text, 'seconds, or a time such as 90s, 15m or 2h');
  return Number(match[1]) * { '': 1, s: 1, m: 60, h: 3600 }[match[2] as '' | 's' | 'm' | 'h'];
}

const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes, or `512M`, `20G`; units are powers of 1024. @throws AgentRefusal */
export function parseSize(name: string, text: string): number {
  const match = /^(\d{1,16})([KMGT]?)i?B?$/i.exec(text);
  const value = match === null ? 0 : Number(match[1]) * units[(match[2] ?? '').toUpperCase() as keyof typeof units];
  if (value >= 1 && Number.isSafeInteger(value)) return value;
  throw wrong(name, text, 'bytes, or a size such as 512M or 20G');
}

function wrong(name: string, text: string, wanted: string): AgentRefusal {
  return new AgentRefusal(`--${name} cannot be ${JSON.stringify(text.slice(0, 100))}`, `give ${wanted}`);
}
