import { type ReadQueries, prepareRead } from '../../platform/database/index.ts';
import { waits } from '../lanes.ts';

export interface DueWebhook {
  readonly registry_id: number;
  readonly webhook: string;
}

/** Webhooks with events to be sent now; those that wait the longest first. */
export const dueWebhooks = prepareRead<{ now: number }, DueWebhook>((db, { now }) =>
  db
    .selectFrom('webhook_events')
    .select(['registry_id', 'webhook'])
    .where('status', '=', waits)
    .where('next_at', '<=', now)
    .groupBy(['registry_id', 'webhook'])
    .orderBy(({ fn }) => fn.min('next_at')),
);

/** For the metrics. */
export async function countWaiting(db: ReadQueries): Promise<number> {
  const { count } = await db
    .selectFrom('webhook_events')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('status', '=', waits)
    .executeTakeFirstOrThrow();
  return Number(count);
}
