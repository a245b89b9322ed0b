import { sql } from 'kysely';
import { type WriteQueries, lockRows } from '../platform/database/index.ts';
import { consumer } from './follow/queries.ts';

/** In the text of a query, not beside it: SQLite plans a query anew each time when a value decides over a partial index. */
export const waits = sql<'waiting'>`'waiting'`;

/** Events of one webhook about one repository: sent one after the other, the oldest first. */
export interface Lane {
  readonly registryId: number;
  readonly webhook: string;
  readonly repository: string;
}

/**
 * Of two transactions that make, end or repeat events of a registry, the second waits for the first (PostgreSQL): otherwise an
 * event could be made to wait for one that was just delivered. Resolves with the place in the change log.
 */
export async function lockEvents(tx: WriteQueries, registryId: number): Promise<number> {
  await tx
    .insertInto('change_cursors')
    .values({ registry_id: registryId, consumer, sequence: 0 })
    .onConflict((conflict) => conflict.columns(['registry_id', 'consumer']).doNothing())
    .execute();
  const { sequence } = await lockRows(
    tx.selectFrom('change_cursors').select('sequence').where('registry_id', '=', registryId).where('consumer', '=', consumer),
  ).executeTakeFirstOrThrow();
  return sequence;
}

/** Lets the oldest event that waits in a lane be sent, unless one is on its way. */
export async function openLane(tx: WriteQueries, { registryId, webhook, repository }: Lane, now: number): Promise<void> {
  const waiting = tx
    .selectFrom('webhook_events')
    .where('registry_id', '=', registryId)
    .where('webhook', '=', webhook)
    .where('repository', '=', repository)
    .where('status', '=', waits);
  const open = await waiting.select('id').where('next_at', 'is not', null).limit(1).executeTakeFirst();
  if (open !== undefined) return;
  const oldest = await waiting.select('id').orderBy('id').limit(1).executeTakeFirst();
  if (oldest !== undefined) await tx.updateTable('webhook_events').set({ next_at: now }).where('id', '=', oldest.id).execute();
}
