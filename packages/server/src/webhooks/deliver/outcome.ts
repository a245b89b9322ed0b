import type { Exchange } from './exchange.ts';

/** What becomes of an event after it was sent. */
export interface Outcome {
  readonly status: 'delivered' | 'failed' | 'waiting';
  /** When to try again. */
  readonly nextAt: number | null;
}

const firstDelayMs = 10_000;
const longestDelayMs = 3_600_000;

export interface Attempted {
  readonly exchange: Exchange;
  /** This one included. */
  readonly attempts: number;
  /** When it was made, or asked for again. */
  readonly wantedAt: number;
  readonly retryTimeMs: number;
  readonly now: number;
  /** 0 to 1. */
  readonly random: number;
}

/** 2xx: delivered. 410: given up, the receiver is gone. Anything else is tried again, ever more seldom, until its time is over. */
export function outcomeOf({ exchange, attempts, wantedAt, retryTimeMs, now, random }: Attempted): Outcome {
  const { response, problem } = exchange;
  const status = problem === null ? (response?.status ?? 0) : 0;
  if (status >= 200 && status < 300) return { status: 'delivered', nextAt: null };
  if (status === 410) return { status: 'failed', nextAt: null };
  const asked = status === 429 || status === 503 ? retryAfterMs(response?.headers['retry-after'], now) : 0;
  const nextAt = now + Math.max(asked, delayMs(attempts, random));
  return nextAt - wantedAt > retryTimeMs ? { status: 'failed', nextAt: null } : { status: 'waiting', nextAt };
}

/** 10 s, 20 s, 40 s … an hour; a fifth more or less, so that receivers that come back are not asked by all at once. */
function delayMs(attempts: number, random: number): number {
  const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts - 1, 20));
  return Math.round(delay * (0.8 + 0.4 * random));
}

/** Seconds or a date (RFC 9110, 10.2.3), an hour at the most. */
function retryAfterMs(text: string | undefined, now: number): number {
  if (text === undefined) return 0;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), longestDelayMs);
}
