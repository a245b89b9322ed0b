import type { ReadQueries, WebhookEventRow } from '../../platform/database/index.ts';
import { waits } from '../lanes.ts';

export type StoredEvent = Omit<WebhookEventRow, 'id' | 'attempts'> & { readonly id: number; readonly attempts: number };

export interface EventPlace {
  readonly registryId: number;
  /** Its key. */
  readonly webhook: string;
}

export interface EventPage extends EventPlace {
  readonly status?: StoredEvent['status'] | undefined;
  /** Positions: those older than one, or newer than one. */
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Events of a webhook: the newest first, or, behind a position, in the order in which they were made. */
export function eventsOf(db: ReadQueries, page: EventPage): Promise<readonly StoredEvent[]> {
  let query = db
    .selectFrom('webhook_events')
    .selectAll()
    .where('registry_id', '=', page.registryId)
    .where('webhook', '=', page.webhook)
    .limit(page.limit);
  if (page.status !== undefined) query = query.where('status', '=', page.status);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  if (page.after !== undefined) return query.where('id', '>', page.after).orderBy('id').execute();
  return query.orderBy('id', 'desc').execute();
}

export function findEvent(
  db: ReadQueries,
  { registryId, webhook }: EventPlace,
  eventId: string,
): Promise<StoredEvent | undefined> {
  return db
    .selectFrom('webhook_events')
    .selectAll()
    .where('registry_id', '=', registryId)
    .where('webhook', '=', webhook)
    .where('event_id', '=', eventId)
    .executeTakeFirst();
}

/** More than this are not counted. */
const maxCounted = 10_000;

/** How many events of a webhook wait. */
export async function waitingOf(db: ReadQueries, { registryId, webhook }: EventPlace): Promise<number> {
  const { count } = await db
    .selectFrom(
      db
        .selectFrom('webhook_events')
        .select('id')
        .where('registry_id', '=', registryId)
        .where('webhook', '=', webhook)
        .where('status', '=', waits)
        .limit(maxCounted)
        .as('waiting'),
    )
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
