import { type LogEntry, readLog } from '../../changes/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import type { WebhooksContext } from '../webhooks-context.ts';
import { type NewEvent, eventsFor } from './events-for.ts';
import { happeningsOf } from './happenings.ts';
import { cursorIn } from './queries.ts';
import { raiseEvents } from './transactions.ts';
import { type KnownWebhook, webhooksOf } from './known-webhooks.ts';

/** Entries of the log that are read and kept at once. */
const pageSize = 200;

/** Makes events of everything that the log of a registry has and that its webhooks were not told of. Resolves with how many. */
export async function followChanges(context: WebhooksContext, registry: Registry): Promise<number> {
  const { database, clock, signal } = context;
  if ((await enabledHere(context, registry)).length === 0) return 0;
  let made = 0;
  while (!signal.aborted) {
    const after = await cursorIn(database.read, registry.id);
    const { entries, next } = await readLog(database, { registryId: registry.id, after, limit: pageSize });
    if (next === after) break;
    // Read after the log: a webhook that was made before something happened is there when that is read.
    const webhooks = await enabledHere(context, registry);
    const events = await eventsOf(context, { registry, entries, webhooks });
    const isOurs = await database.write(raiseEvents, { registryId: registry.id, after, next, events, now: clock.now() });
    if (isOurs) made += events.length;
  }
  return made;
}

async function enabledHere({ database, region }: WebhooksContext, registry: Registry): Promise<readonly KnownWebhook[]> {
  const all = await webhooksOf(database.read, registry, region);
  return all.filter(({ status, isHere }) => isHere && status === 'enabled');
}

async function eventsOf(
  { database }: WebhooksContext,
  {
    registry,
    entries,
    webhooks,
  }: { readonly registry: Registry; readonly entries: readonly LogEntry[]; readonly webhooks: readonly KnownWebhook[] },
): Promise<readonly NewEvent[]> {
  const events: NewEvent[] = [];
  for (const entry of entries) {
    const happenings = await happeningsOf({ db: database.read, registry }, entry);
    events.push(...eventsFor(registry, { entry, happenings, webhooks }));
  }
  return events;
}

/** Passes over what happened while a registry has no webhook here, so that the first one does not begin far behind. */
export async function passOver(context: WebhooksContext, registry: Registry): Promise<void> {
  const { database, clock, signal } = context;
  const registryId = registry.id;
  const before = await cursorIn(database.read, registryId);
  let end = before;
  while (!signal.aborted) {
    const { next } = await readLog(database, { registryId, after: end, limit: pageSize });
    if (next === end) break;
    end = next;
  }
  // Read after the log, as above.
  if (end === before || (await enabledHere(context, registry)).length > 0) return;
  await database.write(raiseEvents, { registryId, after: before, next: end, events: [], now: clock.now() });
}
