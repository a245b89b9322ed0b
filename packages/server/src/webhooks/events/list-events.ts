import { STATUS_CODES } from 'node:http';
import type { AskedOfChild, Child } from '../../resources/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { type StoredProperties, factsOf } from '../callback.ts';
import type { Exchange } from '../deliver/exchange.ts';
import { webhookCollection } from '../model.ts';
import type { WebhooksContext } from '../webhooks-context.ts';
import { type StoredEvent, eventsOf } from './queries.ts';

const pageSize = 100;

/** What ACR shows of a webhook's events (acr-api 3.3), the newest first. */
export async function listedEvents(
  { database }: WebhooksContext,
  { registry, child }: { readonly registry: Registry; readonly child: Child<StoredProperties> },
  { query, origin }: AskedOfChild,
): Promise<object> {
  const before = positionIn(query.get('$skiptoken'));
  const { key: webhook } = factsOf(child.name, child.properties);
  const found = await eventsOf(database.read, { registryId: registry.id, webhook, before, limit: pageSize + 1 });
  const shown = found.slice(0, pageSize);
  const last = shown.at(-1);
  const value = shown.map(listedEvent);
  if (found.length <= pageSize || last === undefined) return { value };
  const version = encodeURIComponent(query.get('api-version') ?? '');
  const path = `${registry.resourceId}/${webhookCollection}/${child.name}/listEvents`;
  return { value, nextLink: `${origin}${path}?api-version=${version}&$skiptoken=${last.id}` };
}

export function positionIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** An event of ACR's model. What was not sent yet has no request headers and no answer. */
function listedEvent({ event_id: id, payload, last_exchange }: StoredEvent): object {
  const exchange = exchangeOf(last_exchange);
  const request = {
    // The text is ours.
    content: JSON.parse(payload) as object,
    headers: exchange?.request.headers ?? {},
    method: 'POST',
    requestUri: exchange?.request.uri ?? '',
    version: '1.1',
  };
  return { id, eventRequestMessage: request, eventResponseMessage: exchange === undefined ? {} : responseOf(exchange) };
}

function responseOf({ response, problem }: Exchange): object {
  const content = problem ?? response?.content ?? '';
  if (response === null) return { content, headers: {}, reasonPhrase: problem ?? '', statusCode: '', version: '1.1' };
  const { status, headers } = response;
  return { content, headers, reasonPhrase: STATUS_CODES[status] ?? '', statusCode: String(status), version: '1.1' };
}

export function exchangeOf(json: string | null): Exchange | undefined {
  return json === null ? undefined : (JSON.parse(json) as Exchange);
}
