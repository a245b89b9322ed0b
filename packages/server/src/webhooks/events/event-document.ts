import { exchangeOf } from './list-events.ts';
import type { StoredEvent } from './queries.ts';

/** An event as `berth` shows it. */
export function eventDocument(event: StoredEvent): Readonly<Record<string, unknown>> {
  const { event_id: id, action, repository, tag, digest, created_at, status, attempts, next_at, finished_at } = event;
  const exchange = exchangeOf(event.last_exchange);
  return {
    id,
    action,
    repository,
    tag,
    digest,
    createdAt: timeText(created_at),
    status,
    attempts,
    nextAt: timeText(next_at),
    finishedAt: timeText(finished_at),
    statusCode: exchange?.response === null || exchange === undefined ? null : String(exchange.response.status),
    problem: exchange?.problem ?? null,
  };
}

/** The same with what was sent and answered last. */
export function eventDetails(event: StoredEvent): Readonly<Record<string, unknown>> {
  const exchange = exchangeOf(event.last_exchange);
  const sent = exchange && { at: timeText(exchange.at), durationMs: exchange.durationMs, ...exchange.request };
  // The text is ours.
  return {
    ...eventDocument(event),
    payload: JSON.parse(event.payload) as object,
    request: sent ?? null,
    response: exchange?.response ?? null,
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
