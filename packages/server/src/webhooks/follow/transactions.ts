import { type TransactionDefinition, defineTransaction } from '../../platform/database/index.ts';
import { lockEvents, openLane } from '../lanes.ts';
import type { NewEvent } from './events-for.ts';
import { consumer } from './queries.ts';

export interface RaiseEvents {
  readonly registryId: number;
  /** Where the log was read from. */
  readonly after: number;
  /** Where it goes on. */
  readonly next: number;
  readonly events: readonly NewEvent[];
  readonly now: number;
}

const rowsPerStatement = 100;

/** Keeps the events of a page of the log, and its end. False: another process was faster. */
export const raiseEvents = defineTransaction('webhooks.raise', async (tx, input: RaiseEvents): Promise<boolean> => {
  const { registryId, after, next, events, now } = input;
  if ((await lockEvents(tx, registryId)) !== after) return false;
  const times = { created_at: now, wanted_at: now };
  const rest = { registry_id: registryId, ...times, status: 'waiting' as const, next_at: null };
  for (let start = 0; start < events.length; start += rowsPerStatement)
    await tx
      .insertInto('webhook_events')
      .values(events.slice(start, start + rowsPerStatement).map((event) => ({ ...rest, ...event })))
      .onConflict((conflict) => conflict.columns(['registry_id', 'webhook', 'event_id']).doNothing())
      .execute();
  const lanes = new Map(
    events.map(({ webhook, repository }) => [JSON.stringify([webhook, repository]), { webhook, repository }]),
  );
  for (const lane of lanes.values()) await openLane(tx, { registryId, ...lane }, now);
  await tx
    .updateTable('change_cursors')
    .set({ sequence: next })
    .where('registry_id', '=', registryId)
    .where('consumer', '=', consumer)
    .execute();
  return true;
});

export const followTransactions = [raiseEvents] as readonly TransactionDefinition<never, unknown>[];
