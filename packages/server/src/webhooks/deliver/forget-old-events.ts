import type { WebhooksContext } from '../webhooks-context.ts';
import { expireEvents } from './transactions.ts';

const atOnce = 1_000;

/** Forgets events that are over, and older than what is kept. What still waits stays, however old. */
export async function forgetOldEvents({ database, clock, limits, signal }: WebhooksContext): Promise<void> {
  const before = clock.now() - limits.webhookEventRetentionMs;
  for (let gone = atOnce; gone === atOnce && !signal.aborted; )
    gone = await database.write(expireEvents, { before, limit: atOnce });
}
