import type { Registry } from '../tenancy/index.ts';
import type { StoredChild } from '../resources/index.ts';
import { type StoredProperties, callbackOf, factsOf } from './callback.ts';
import { isAt } from './model.ts';
import type { WebhooksContext } from './webhooks-context.ts';

export type StoredWebhook = StoredChild & { readonly properties: StoredProperties };

/** A webhook as `berth` shows it: whom it tells by scheme and host alone, headers by their names. @throws KEY_UNAVAILABLE */
export function webhookDocument(
  { keys, region }: WebhooksContext,
  registry: Registry,
  webhook: StoredWebhook,
): Readonly<Record<string, unknown>> {
  const { name, location, properties, createdAt, updatedAt } = webhook;
  const { status, scope, actions, payloadFormat, isSigned } = factsOf(name, properties);
  const { serviceUri, customHeaders } = callbackOf(keys, registry.id, properties);
  return {
    name,
    location: location ?? registry.homeRegion ?? region,
    isHere: isAt(location, region, registry.homeRegion),
    status,
    scope,
    actions,
    payloadFormat,
    address: URL.parse(serviceUri)?.origin ?? '',
    headers: Object.keys(customHeaders),
    isSigned,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}
