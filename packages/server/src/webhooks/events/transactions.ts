import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { lockEvents, openLane, waits } from '../lanes.ts';

export interface AddPing {
  readonly registryId: number;
  readonly webhook: string;
  readonly eventId: string;
  /** JSON. */
  readonly payload: string;
  readonly now: number;
}

/** Makes an event that waits for none of a repository. */
export const addPing = defineTransaction('webhooks.ping', async (tx, input: AddPing): Promise<void> => {
  const { registryId: registry_id, webhook, eventId: event_id, payload, now } = input;
  const nothing = { repository: '', tag: null, digest: null };
  const times = { created_at: now, wanted_at: now, next_at: now };
  await tx
    .insertInto('webhook_events')
    .values({ registry_id, webhook, event_id, action: 'ping', ...nothing, payload, ...times, status: 'waiting' })
    .execute();
});

interface Again {
  readonly registryId: number;
  readonly webhook: string;
  readonly now: number;
}

export interface ReplayEvent extends Again {
  readonly eventId: string;
}

/** Sends an event again, or one that waits at once. Undefined: there is none; false: it is on its way, or waits for another one. */
export const replayEvent = defineTransaction(
  'webhooks.replay-one',
  async (tx, input: ReplayEvent): Promise<boolean | undefined> => {
    const { registryId, webhook, eventId, now } = input;
    await lockEvents(tx, registryId);
    const event = await tx
      .selectFrom('webhook_events')
      .select(['id', 'repository', 'status', 'claimed_until', 'next_at'])
      .where('registry_id', '=', registryId)
      .where('webhook', '=', webhook)
      .where('event_id', '=', eventId)
      .executeTakeFirst();
    if (event === undefined) return undefined;
    if (event.status === 'waiting') {
      if (event.next_at === null || (event.claimed_until ?? 0) > now) return false;
      await tx.updateTable('webhook_events').set({ next_at: now, wanted_at: now }).where('id', '=', event.id).execute();
      return true;
    }
    await wantAgain(tx, [event], input);
    return true;
  },
);

export interface ReplaySpan extends Again {
  /** When they were made: from the first to before the second. */
  readonly since: number;
  readonly until: number;
  /** Behind this position. */
  readonly after: number;
  readonly limit: number;
}

export interface ReplayedPage {
  readonly replayed: number;
  /** Where the next page begins; undefined: there is none. */
  readonly next: number | undefined;
}

/** Sends the events of a span of time again, in the order in which they were made; those that wait are sent anyway. */
export const replaySpan = defineTransaction('webhooks.replay-span', async (tx, input: ReplaySpan): Promise<ReplayedPage> => {
  const { registryId, webhook, since, until, after, limit } = input;
  await lockEvents(tx, registryId);
  const rows = await tx
    .selectFrom('webhook_events')
    .select(['id', 'repository'])
    .where('registry_id', '=', registryId)
    .where('webhook', '=', webhook)
    .where('id', '>', after)
    .where('created_at', '>=', since)
    .where('created_at', '<', until)
    .where('status', '!=', waits)
    .where('action', '!=', 'ping')
    .orderBy('id')
    .limit(limit)
    .execute();
  await wantAgain(tx, rows, input);
  return { replayed: rows.length, next: rows.length < limit ? undefined : rows.at(-1)?.id };
});

async function wantAgain(
  tx: WriteQueries,
  events: readonly { readonly id: number; readonly repository: string }[],
  { registryId, webhook, now }: Again,
): Promise<void> {
  if (events.length === 0) return;
  const ids = events.map(({ id }) => id);
  const fresh = {
    status: 'waiting' as const,
    attempts: 0,
    wanted_at: now,
    next_at: null,
    claimed_until: null,
    finished_at: null,
  };
  await tx.updateTable('webhook_events').set(fresh).where('id', 'in', ids).execute();
  for (const repository of new Set(events.map((event) => event.repository)))
    await openLane(tx, { registryId, webhook, repository }, now);
}

export const eventTransactions = [addPing, replayEvent, replaySpan] as readonly TransactionDefinition<never, unknown>[];
