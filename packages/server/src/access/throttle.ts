import { isIPv6 } from 'node:net';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';

/** Guesses in a row, and how long until one more is allowed. */
const burst = 10;
const refillMs = 6_000;
const maxBuckets = 50_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Slows the guessing of human passwords, per client address and user name. Another address is not touched, and
 * generated passwords are checked before it: so nobody can lock the owner out (attack 25).
 */
export class SignInThrottle {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws TOOMANYREQUESTS with the seconds until the next guess */
  requireRoom(address: string, username: string): void {
    const bucket = this.#bucket(address, username);
    if (bucket.tokens >= 1) return;
    const seconds = Math.max(1, Math.ceil(((1 - bucket.tokens) * refillMs) / 1000));
    throw new RegistryError('TOOMANYREQUESTS', { message: `too many failed sign-ins; try again in ${seconds} s`, headers: { 'Retry-After': String(seconds) } });
  }

  countFailure(address: string, username: string): void {
    const bucket = this.#bucket(address, username);
    bucket.tokens = Math.max(0, bucket.tokens - 1);
  }

  #bucket(address: string, username: string): Bucket {
    const key = `${networkOf(address)} ${username.slice(0, 100)}`;
    const now = this.#clock.now();
    const known = this.#buckets.get(key);
    const bucket = known === undefined ? { tokens: burst, at: now } : { tokens: Math.min(burst, known.tokens + (now - known.at) / refillMs), at: now };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxBuckets) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}

/** One household has one IPv4 address or one IPv6 /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] ?? address;
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return [...front, ...zeros, ...back].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
