import { webhooks as operations } from '@berth/api';
import { RegistryError } from '../../errors/index.ts';
import { readJson } from '../../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../../http/route.ts';
import { Fields, invalid } from '../../resources/index.ts';
import { factsOf } from '../callback.ts';
import { answer, requireWebhook } from '../webhook-routes.ts';
import type { WebhooksContext } from '../webhooks-context.ts';
import { eventDetails, eventDocument } from './event-document.ts';
import { positionIn } from './list-events.ts';
import { type EventPlace, eventsOf, findEvent } from './queries.ts';
import { replayEvent, replaySpan } from './transactions.ts';

const usualLimit = 50;
const maxLimit = 500;
const replayedAtOnce = 500;
const statuses = ['waiting', 'delivered', 'failed'] as const;

/** What webhooks were sent, and sending it again. */
export function eventRoutes(context: WebhooksContext): readonly Route[] {
  return [
    { operation: operations.listEvents, handle: (request) => list(context, request) },
    {
      operation: operations.getEvent,
      handle: async (request) => {
        const place = await placeOf(context, request);
        const id = request.params['event'] ?? '';
        const event = await findEvent(context.database.read, place, id);
        return event === undefined ? noSuchEvent(id) : answer(eventDetails(event));
      },
    },
    { operation: operations.replayEvents, handle: (request) => replay(context, request) },
  ];
}

async function list(context: WebhooksContext, request: RouteRequest): Promise<Reply> {
  const place = await placeOf(context, request);
  const { query } = request;
  const limit = Math.min(maxLimit, Math.max(1, positionIn(query.get('limit')) ?? usualLimit));
  const asked = query.get('status');
  const status = statuses.find((each) => each === asked);
  if (asked !== null && status === undefined) throw invalid('status', `must be one of ${statuses.join(', ')}`);
  const after = positionIn(query.get('after'));
  const before = positionIn(query.get('before'));
  const events = await eventsOf(context.database.read, { ...place, status, before, after, limit });
  const last = events.at(-1)?.id;
  // Who follows goes on from where it is when there is nothing new.
  const next = after !== undefined ? String(last ?? after) : events.length < limit ? null : String(last);
  const newest = after === undefined && before === undefined ? { newest: String(events[0]?.id ?? 0) } : {};
  return answer({ events: events.map(eventDocument), next, ...newest });
}

async function replay(context: WebhooksContext, request: RouteRequest): Promise<Reply> {
  const place = await placeOf(context, request);
  const body = new Fields(await readJson(request, operations.replayEvents.body), '');
  const event = body.text('event');
  const since = timeIn(body, 'since');
  const until = timeIn(body, 'until') ?? context.clock.now() + 1;
  if ((event === undefined) === (since === undefined))
    throw invalid('event', 'or since must be given, and not both: one event, or all of a span of time');
  const replayed =
    event === undefined ? await replayAll(context, place, { since: since ?? 0, until }) : await replayOne(context, place, event);
  context.wake(place.registryId);
  return { ...answer({ replayed }), status: 202 };
}

async function replayOne({ database, clock }: WebhooksContext, place: EventPlace, eventId: string): Promise<number> {
  const isReplayed = await database.write(replayEvent, { ...place, eventId, now: clock.now() });
  if (isReplayed === undefined) return noSuchEvent(eventId);
  if (isReplayed) return 1;
  throw new RegistryError('CONFLICT', {
    message: `the event ${eventId} is being sent, or waits for an earlier one of its repository: it goes by itself`,
  });
}

async function replayAll(
  { database, clock, signal }: WebhooksContext,
  place: EventPlace,
  span: { readonly since: number; readonly until: number },
): Promise<number> {
  const now = clock.now();
  let replayed = 0;
  for (let after: number | undefined = 0; after !== undefined && !signal.aborted; ) {
    const page: { readonly replayed: number; readonly next: number | undefined } = await database.write(replaySpan, {
      ...place,
      ...span,
      after,
      limit: replayedAtOnce,
      now,
    });
    replayed += page.replayed;
    after = page.next;
  }
  return replayed;
}

async function placeOf(context: WebhooksContext, request: RouteRequest): Promise<EventPlace> {
  const { name, properties } = await requireWebhook(context, request);
  return { registryId: request.registry.id, webhook: factsOf(name, properties).key };
}

/** @throws INVALID_PARAMETER */
function timeIn(body: Fields, name: string): number | undefined {
  const text = body.text(name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw invalid(name, 'must be a time such as 2030-01-31T12:00:00Z');
  return time;
}

function noSuchEvent(id: string): never {
  throw new RegistryError('NOT_FOUND', {
    message: `the webhook has no event ${JSON.stringify(id.slice(0, 64))}, or it is over and was forgotten`,
  });
}
