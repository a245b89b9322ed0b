import { randomUUID } from 'node:crypto';
import type { Child } from '../../resources/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { type StoredProperties, factsOf } from '../callback.ts';
import { pingPayload } from '../payloads.ts';
import type { WebhooksContext } from '../webhooks-context.ts';
import { addPing } from './transactions.ts';

/** Makes an event that means nothing, whatever the webhook's status; this region sends it, at once and once. Resolves with its id. */
export async function pingWebhook(
  context: WebhooksContext,
  registry: Registry,
  { name, properties }: Pick<Child<StoredProperties>, 'name' | 'properties'>,
): Promise<string> {
  const { database, clock } = context;
  const now = clock.now();
  const id = randomUUID();
  const { key: webhook } = factsOf(name, properties);
  const payload = JSON.stringify(pingPayload(id, now));
  await database.write(addPing, { registryId: registry.id, webhook, eventId: id, payload, now });
  context.wake(registry.id);
  return id;
}
