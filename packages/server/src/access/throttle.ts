import { isIPv6 } from 'node:net';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import { Recent } from '../platform/recent.ts';

/** How many guesses in a row, and how long until one more is allowed. */
interface Allowance {
  readonly burst: number;
  readonly refillMs: number;
}

const perUser: Allowance = { burst: 10, refillMs: 6_000 };
/** Of all names that one client tries: each guess costs a piece of a core. */
const perNetwork: Allowance = { burst: 30, refillMs: 2_000 };
const maxBuckets = 50_000;
const maxNameLength = 100;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Slows the guessing of human passwords, per client and user name. Another client is not touched, and generated passwords
 * are checked before it: so nobody can lock the owner out (attack 25).
 */
export class SignInThrottle {
  readonly #clock: Clock;
  readonly #buckets = new Recent<Bucket>({ maxEntries: maxBuckets });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one guess, before it is known whether it is right; returns how to give it back. @throws TOOMANYREQUESTS */
  take(network: string, username: string): () => void {
    const buckets = [
      { bucket: this.#bucket(`network ${network}`, perNetwork), allowance: perNetwork },
      { bucket: this.#bucket(`user ${network} ${username.slice(0, maxNameLength)}`, perUser), allowance: perUser },
    ];
    const waitMs = Math.max(...buckets.map(({ bucket, allowance }) => (1 - bucket.tokens) * allowance.refillMs));
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw new RegistryError('TOOMANYREQUESTS', {
        message: `too many failed sign-ins; try again in ${seconds} s`,
        headers: { 'Retry-After': String(seconds) },
      });
    }
    for (const { bucket } of buckets) bucket.tokens -= 1;
    return () => {
      for (const { bucket, allowance } of buckets) bucket.tokens = Math.min(allowance.burst, bucket.tokens + 1);
    };
  }

  #bucket(key: string, { burst, refillMs }: Allowance): Bucket {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    // A clock that was put back must neither punish nor reward.
    const passedMs = Math.max(0, now - bucket.at);
    bucket.tokens = Math.min(burst, bucket.tokens + passedMs / refillMs);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

/** One household has one IPv4 address or one IPv6 /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] ?? address;
  const [plain = ''] = address.split('%', 1);
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array.from({ length: missing }, () => '0'), ...back]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
