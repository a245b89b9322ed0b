import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { GarbageKind } from './candidates.ts';
import { type ClaimedCandidate, claimCandidates } from './claim.ts';
import type { GarbageHandler } from './handler.ts';

export interface CollectorOptions {
  readonly database: Database;
  /** One for each kind; kinds without a handler are left alone. */
  readonly handlers: readonly GarbageHandler[];
  readonly clock: Clock;
  /** Candidates taken at once; default 64. */
  readonly batchSize?: number;
  /** First wait after a failure; doubles up to `retryMaxMs`. Also how long a dead process keeps its claims. Default 1 min. */
  readonly retryMs?: number;
  /** Default 1 h. */
  readonly retryMaxMs?: number;
  readonly log: CollectorLog;
}

export interface CollectorLog {
  error(fields: object, message: string): void;
}

export interface CollectionSummary {
  /** Candidates that were settled: deleted, or found to be in use. */
  readonly collected: number;
  readonly postponed: number;
  readonly failed: number;
}

export interface Collector {
  /** Works until nothing is due or `signal` aborts. Failures of single subjects are logged, counted and tried later. */
  runDue(signal: AbortSignal): Promise<CollectionSummary>;
  /** `runDue` again and again, with `pollMs` between; resolves once `signal` aborts and the batch in hand is done. */
  run(pollMs: number, signal: AbortSignal): Promise<void>;
}

/** On PostgreSQL each transaction takes a pooled connection: leave most of them to requests. */
const postgresConcurrency = 3;

/** Deletes what nobody needs, in small batches, beside the traffic (architecture 6): never a walk, never read-only. */
export function createCollector(options: CollectorOptions): Collector {
  const { database, clock, log, batchSize = 64, retryMs = 60_000, retryMaxMs = 3_600_000 } = options;
  const handlers = byKind(options.handlers);
  const concurrency = database.engine === 'postgres' ? postgresConcurrency : batchSize;

  const settle = async (
    handler: GarbageHandler,
    candidate: ClaimedCandidate,
    isErased: boolean,
  ): Promise<keyof CollectionSummary> => {
    const { id, subject, claimedUntil, kind, attempts } = candidate;
    try {
      const input = { candidateId: id, claimedUntil, subject, isErased, now: clock.now() };
      const result = await database.write(handler.transaction, input);
      return result === 'collected' ? 'collected' : 'postponed';
    } catch (error) {
      log.error({ err: error, kind, subject, attempts }, 'garbage collection of a subject failed; it will be tried again');
      return 'failed';
    }
  };

  const collectKind = async (kind: GarbageKind, claimed: readonly ClaimedCandidate[], signal: AbortSignal) => {
    const handler = handlers.get(kind);
    if (handler === undefined) throw new Error(`no handler for garbage of kind "${kind}"`);
    let erased: ReadonlySet<string> = new Set();
    try {
      const subjects = claimed.map((candidate) => candidate.subject);
      if (handler.erase !== undefined) erased = new Set(await handler.erase(subjects, signal));
    } catch (error) {
      if (!signal.aborted)
        log.error({ err: error, kind, count: claimed.length }, 'erasing garbage failed; it will be tried again');
      return claimed.map(() => 'failed' as const);
    }
    const outcomes: (keyof CollectionSummary)[] = [];
    for (let start = 0; start < claimed.length; start += concurrency) {
      const some = claimed.slice(start, start + concurrency);
      outcomes.push(...(await Promise.all(some.map((candidate) => settle(handler, candidate, erased.has(candidate.subject))))));
    }
    return outcomes;
  };

  const runDue = async (signal: AbortSignal): Promise<CollectionSummary> => {
    const summary = { collected: 0, postponed: 0, failed: 0 };
    while (!signal.aborted) {
      const input = { kinds: [...handlers.keys()], limit: batchSize, now: clock.now(), retryMs, retryMaxMs };
      const claimed = handlers.size === 0 ? [] : await database.write(claimCandidates, input);
      if (claimed.length === 0) break;
      for (const [kind, candidates] of Map.groupBy(claimed, (candidate) => candidate.kind)) {
        for (const outcome of await collectKind(kind, candidates, signal)) summary[outcome] += 1;
      }
    }
    return summary;
  };

  const run = async (pollMs: number, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await runDue(signal);
      } catch (error) {
        log.error({ err: error }, 'garbage collection stopped early; it will go on later');
      }
      await delay(pollMs, undefined, { signal, ref: false }).catch(() => {});
    }
  };

  return { runDue, run };
}

function byKind(handlers: readonly GarbageHandler[]): ReadonlyMap<GarbageKind, GarbageHandler> {
  const map = new Map<GarbageKind, GarbageHandler>();
  for (const handler of handlers) {
    if (map.has(handler.kind)) throw new Error(`two handlers for garbage of kind "${handler.kind}"`);
    map.set(handler.kind, handler);
  }
  return map;
}
