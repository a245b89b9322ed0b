import type { Operation } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import type { Clock } from '../platform/clock.ts';
import { Recent } from '../platform/recent.ts';
import type { Plan, Principal, Registry } from '../tenancy/index.ts';

/** What a call is counted as (acr-api 4.2). */
export type CallCategory = 'read' | 'write' | 'delete' | 'referrers' | 'token';

/** Calls per minute that a plan allows; Infinity: as many as come. */
export interface CallRates {
  /** Of all callers together. */
  readonly registry: Readonly<Record<CallCategory, number>>;
  /** Of each principal. All anonymous callers are one, and both passwords of the admin user. */
  readonly identity: Readonly<Partial<Record<CallCategory, number>>>;
}

export interface RateLimiterOptions {
  readonly clock: Clock;
  readonly ratesOf: (plan: Plan) => CallRates;
  /** Beyond it the least recently used bucket is forgotten, and is full when it is needed again. */
  readonly maxBuckets?: number;
}

/** A bucket of a rate of r calls per minute earns r of these each millisecond, and holds a minute's worth: whole numbers all. */
const unitsPerCall = 60_000;

interface Bucket {
  units: number;
  at: number;
}

/** One bucket that a call is taken from. */
interface Share {
  readonly bucket: Bucket;
  readonly rate: number;
  readonly category: CallCategory;
  readonly of: 'registry' | 'client';
}

/**
 * Token buckets per registry and per identity, refilled continuously. Who calls is asked of the credentials, never of the
 * address: no header that a client writes makes it somebody else (attack 47).
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #ratesOf: (plan: Plan) => CallRates;
  readonly #buckets: Recent<Bucket>;

  constructor({ clock, ratesOf, maxBuckets = 100_000 }: RateLimiterOptions) {
    this.#clock = clock;
    this.#ratesOf = ratesOf;
    this.#buckets = new Recent({ maxEntries: maxBuckets });
  }

  /**
   * Takes one call from every bucket that it counts in, or from none. Returns how many more the emptiest of them has;
   * undefined where no limit applies. @throws TOOMANYREQUESTS
   */
  take(operation: Operation, registry: Registry, { id }: Principal): number | undefined {
    const rates = this.#ratesOf(registry.plan);
    const now = this.#clock.now();
    const shares: Share[] = [];
    for (const category of categoriesOf(operation)) {
      const ofAll = rates.registry[category];
      const ofOne = rates.identity[category] ?? Number.POSITIVE_INFINITY;
      if (ofAll !== Number.POSITIVE_INFINITY)
        shares.push({ bucket: this.#bucket(`${registry.id} ${category}`, ofAll, now), rate: ofAll, category, of: 'registry' });
      if (ofOne !== Number.POSITIVE_INFINITY)
        shares.push({
          bucket: this.#bucket(`${registry.id} ${category} ${id}`, ofOne, now),
          rate: ofOne,
          category,
          of: 'client',
        });
    }
    if (shares.length === 0) return undefined;
    const slowest = shares.reduce((worst, share) => (waitMsOf(share) > waitMsOf(worst) ? share : worst));
    if (waitMsOf(slowest) > 0) throw refused(slowest, registry.plan);
    let remaining = Number.POSITIVE_INFINITY;
    for (const { bucket } of shares) {
      bucket.units -= unitsPerCall;
      remaining = Math.min(remaining, Math.floor(bucket.units / unitsPerCall));
    }
    return remaining;
  }

  #bucket(key: string, rate: number, now: number): Bucket {
    const full = rate * unitsPerCall;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      const fresh = { units: full, at: now };
      this.#buckets.set(key, fresh);
      return fresh;
    }
    // A clock that was put back must neither punish nor reward.
    const passedMs = Math.max(0, now - bucket.at);
    // A rate may have shrunk with the plan.
    bucket.units = Math.min(full, bucket.units + passedMs * rate);
    bucket.at = now;
    return bucket;
  }
}

const noCategories: readonly CallCategory[] = [];

/** A call to list referrers is a read, too. What is no call of the data plane is not counted. */
function categoriesOf({ id, method, path }: Operation): readonly CallCategory[] {
  if (path.startsWith('/oauth2/')) return ['token'];
  if (!path.startsWith('/v2/') && !path.startsWith('/acr/v1/')) return noCategories;
  if (id === 'list-referrers') return ['read', 'referrers'];
  if (method === 'GET' || method === 'HEAD') return ['read'];
  return [method === 'DELETE' ? 'delete' : 'write'];
}

/** Until the bucket holds one call. */
function waitMsOf({ bucket, rate }: Share): number {
  return Math.max(0, Math.ceil((unitsPerCall - bucket.units) / rate));
}

const nouns: Readonly<Record<CallCategory, string>> = {
  read: 'reads',
  write: 'writes',
  delete: 'deletions',
  referrers: 'lists of referrers',
  token: 'requests for tokens',
};

function refused(share: Share, plan: Plan): RegistryError {
  const seconds = Math.ceil(waitMsOf(share) / 1000);
  const { category, rate, of } = share;
  return new RegistryError('TOOMANYREQUESTS', {
    message: `too many ${nouns[category]}: the plan ${plan} allows ${rate} a minute for each ${of}; try again in ${seconds} s`,
    headers: { 'Retry-After': String(seconds), ...remainingHeader(0) },
  });
}

/** ACR tells what is left of a minute's calls as a rate per second. */
export function remainingHeader(calls: number): Readonly<Record<string, string>> {
  return { 'X-Ms-Ratelimit-Remaining-Calls-Per-Second': String(Math.floor((calls * 100) / 60) / 100) };
}
