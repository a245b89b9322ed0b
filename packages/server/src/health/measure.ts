import type { Clock } from '../platform/clock.ts';
import { countDamage } from '../platform/damage/index.ts';
import type { Database } from '../platform/database/index.ts';
import { countCandidates } from '../platform/garbage/index.ts';
import type { Metrics } from '../platform/metrics.ts';

export interface MeasuredParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly activeUploads: () => number;
  readonly freedParts: () => number;
  readonly signInFailures: () => number;
}

/** What scrapers see of the inside. */
export function measure(metrics: Metrics, { database, clock, activeUploads, freedParts, signInFailures }: MeasuredParts): void {
  metrics.gauge('berth_uploads_in_progress', 'Requests that are sending blob bytes now.', activeUploads);
  metrics.counter('berth_sign_in_failures_total', 'Wrong passwords since the start.', signInFailures);
  metrics.counter('berth_parts_deleted_total', 'Stored parts that collection deleted since the start.', freedParts);
  metrics.gauge('berth_damaged_parts', 'Stored parts that are known not to open.', () => countDamage(database.read));
  metrics.gauge(
    'berth_garbage_due',
    'Candidates of collection that are due.',
    async () => (await countCandidates(database.read, clock.now())).due,
  );
  metrics.gauge('berth_garbage_oldest_due_seconds', 'For how long the oldest candidate has been due.', async () => {
    const { oldestDueAt } = await countCandidates(database.read, clock.now());
    return oldestDueAt === null ? 0 : Math.max(0, (clock.now() - oldestDueAt) / 1000);
  });
}
