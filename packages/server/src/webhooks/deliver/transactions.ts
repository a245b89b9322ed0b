import { type TransactionDefinition, defineTransaction, lockFreeRows } from '../../platform/database/index.ts';
import { lockEvents, openLane, waits } from '../lanes.ts';
import type { Outcome } from './outcome.ts';

export interface ClaimEvents {
  readonly wanted: readonly { readonly registryId: number; readonly webhook: string; readonly limit: number }[];
  readonly now: number;
  /** A process that dies holds them no longer than this. */
  readonly heldUntil: number;
}

export interface ClaimedEvent {
  readonly id: number;
  readonly registry_id: number;
  readonly webhook: string;
  readonly action: string;
  readonly repository: string;
  readonly payload: string;
  readonly attempts: number;
  readonly wanted_at: number;
}

/** Takes events that are due, for this process to send. */
export const claimEvents = defineTransaction('webhooks.claim', async (tx, input: ClaimEvents): Promise<ClaimedEvent[]> => {
  const { wanted, now, heldUntil } = input;
  const claimed: ClaimedEvent[] = [];
  for (const { registryId, webhook, limit } of wanted) {
    const due = tx
      .selectFrom('webhook_events')
      .select(['id', 'registry_id', 'webhook', 'action', 'repository', 'payload', 'attempts', 'wanted_at'])
      .where('registry_id', '=', registryId)
      .where('webhook', '=', webhook)
      .where('status', '=', waits)
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .orderBy('id')
      .limit(limit);
    claimed.push(...(await lockFreeRows(due).execute()));
  }
  if (claimed.length > 0)
    await tx
      .updateTable('webhook_events')
      .set({ next_at: heldUntil, claimed_until: heldUntil })
      .where(
        'id',
        'in',
        claimed.map(({ id }) => id),
      )
      .execute();
  return claimed;
});

export interface SettleEvent extends Outcome {
  readonly id: number;
  readonly registryId: number;
  readonly webhook: string;
  readonly repository: string;
  /** From the claim: whoever took it since has it. */
  readonly heldUntil: number;
  readonly attempts: number;
  /** JSON. */
  readonly exchange: string;
  readonly now: number;
}

/** Records what became of an event, and lets the next one of its lane go when it is over. False: it is another process's now. */
export const settleEvent = defineTransaction('webhooks.settle', async (tx, input: SettleEvent): Promise<boolean> => {
  const { id, registryId, webhook, repository, heldUntil, status, nextAt, attempts, exchange, now } = input;
  await lockEvents(tx, registryId);
  const settled = await tx
    .updateTable('webhook_events')
    .set({
      status,
      attempts,
      next_at: nextAt,
      claimed_until: null,
      finished_at: status === 'waiting' ? null : now,
      last_exchange: exchange,
    })
    .where('id', '=', id)
    .where('status', '=', waits)
    .where('claimed_until', '=', heldUntil)
    .returning('id')
    .executeTakeFirst();
  if (settled === undefined) return false;
  if (status !== 'waiting') await openLane(tx, { registryId, webhook, repository }, now);
  return true;
});

export interface GiveUpEvents {
  readonly registryId: number;
  readonly webhook: string;
  /** As JSON: why. */
  readonly exchange: string;
  /** Pings are sent all the same. */
  readonly sparesPings: boolean;
  readonly limit: number;
  readonly now: number;
}

/** Ends events that shall not be sent any more, the oldest first. Resolves with how many. */
export const giveUpEvents = defineTransaction('webhooks.give-up', async (tx, input: GiveUpEvents): Promise<number> => {
  const { registryId, webhook, exchange, sparesPings, limit, now } = input;
  await lockEvents(tx, registryId);
  const all = tx
    .selectFrom('webhook_events')
    .where('registry_id', '=', registryId)
    .where('webhook', '=', webhook)
    .where('status', '=', waits);
  const waiting = sparesPings ? all.where('action', '!=', 'ping') : all;
  const rows = await waiting.select('id').orderBy('id').limit(limit).execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return 0;
  const ended = { status: 'failed' as const, next_at: null, claimed_until: null, finished_at: now, last_exchange: exchange };
  await tx.updateTable('webhook_events').set(ended).where('id', 'in', ids).execute();
  // Whoever dies before the rest is done leaves one that is due, so that it is gone on with.
  const rest = await waiting.select('repository').orderBy('id').limit(1).executeTakeFirst();
  if (rest !== undefined) await openLane(tx, { registryId, webhook, repository: rest.repository }, now);
  return ids.length;
});

export interface ExpireEvents {
  readonly before: number;
  readonly limit: number;
}

/** Forgets events that are over and old. Resolves with how many. */
export const expireEvents = defineTransaction('webhooks.expire', async (tx, input: ExpireEvents): Promise<number> => {
  const rows = await tx
    .selectFrom('webhook_events')
    .select('id')
    .where('created_at', '<', input.before)
    .where('status', '!=', waits)
    .orderBy('created_at')
    .limit(input.limit)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await tx.deleteFrom('webhook_events').where('id', 'in', ids).execute();
  return ids.length;
});

export const deliverTransactions = [claimEvents, settleEvent, giveUpEvents, expireEvents] as readonly TransactionDefinition<
  never,
  unknown
>[];
