import type { Route } from '../http/route.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Registry, RequestDetails, RequestRecord } from '../tenancy/index.ts';
import { openLines } from './audit-lines.ts';
import { AuditTrail } from './audit-trail.ts';
import { eventOf, purgeEvent } from './model.ts';
import { auditRoutes } from './routes.ts';

export interface AuditOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly region: string;
  readonly findRegistry: (name: string) => Registry | undefined;
  readonly retentionMs: number;
  /** A file, or `-` for standard output; undefined: none. */
  readonly lines: string | undefined;
}

/** Who did what in which registry. */
export interface Audit {
  readonly routes: readonly Route[];
  /** A request has ended. */
  requestEnded(record: RequestRecord, details: RequestDetails): void;
  /** The registry has deleted something by itself. */
  purged(what: {
    readonly registry: Registry;
    readonly repository: string;
    readonly name: string;
    readonly isTag: boolean;
  }): void;
  /** To be called again and again. */
  flush(): Promise<void>;
  expire(signal: AbortSignal): Promise<void>;
  /** Writes what waits, and closes the file. */
  stop(): Promise<void>;
}

export function createAudit(options: AuditOptions): Audit {
  const { database, clock, log, metrics, region, retentionMs, findRegistry } = options;
  const lines = options.lines === undefined ? undefined : openLines(options.lines, log);
  const trail = new AuditTrail({ database, clock, log, retentionMs, ...(lines && { writeLine: lines.write }) });
  metrics.counter('berth_audit_dropped_total', 'Events of the audit trail that could not be kept.', () => trail.dropped);
  metrics.counter(
    'berth_audit_lines_dropped_total',
    'Events that are missing from the audit log because it could not be written.',
    () => lines?.dropped() ?? 0,
  );
  return {
    routes: auditRoutes({ database, flush: () => trail.flush() }),
    requestEnded: (record, details) => {
      // The resource manager answers at one host for all registries: its paths say which one is meant.
      const named = details.params['registryName'];
      const registry = (named === undefined ? undefined : findRegistry(named)) ?? details.registry;
      const event = eventOf(record, { ...details, registry }, { now: clock.now(), region });
      if (event !== undefined) trail.record(event);
    },
    purged: (what) => trail.record(purgeEvent(what, { now: clock.now(), region })),
    flush: () => trail.flush(),
    expire: (signal) => trail.expire(signal),
    stop: async () => {
      try {
        await trail.flush();
      } finally {
        await lines?.close();
      }
    },
  };
}
