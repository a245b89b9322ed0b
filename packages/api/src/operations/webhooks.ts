import { Type } from '../schema.ts';
import { defineOperation } from '../operation.ts';
import { strict, textOrNull } from './run-words.ts';

/** Webhooks as `berth` asks for them: the same rows as those of the resource manager, and what became of their events. */

const operator = { kind: 'operator' } as const;
const base = '/berth/v1/webhooks';
const one = `${base}/{webhook}`;
const byName = Type.Object({ webhook: Type.String() });

const webhook = Type.Object({
  name: Type.String(),
  location: Type.String(),
  isHere: Type.Boolean({ description: 'whether the region that answers is the one that sends its events' }),
  status: Type.String(),
  scope: Type.String(),
  actions: Type.Array(Type.String()),
  payloadFormat: Type.String(),
  address: Type.String({ description: 'whom it tells: scheme and host' }),
  /** Names of its custom headers. */
  headers: Type.Array(Type.String()),
  isSigned: Type.Boolean(),
  createdAt: Type.String(),
  updatedAt: Type.String(),
});

const event = Type.Object({
  id: Type.String(),
  action: Type.String(),
  repository: Type.String(),
  tag: textOrNull,
  digest: textOrNull,
  createdAt: Type.String(),
  status: Type.String({ description: 'waiting, delivered or failed' }),
  attempts: Type.Integer(),
  nextAt: textOrNull,
  finishedAt: textOrNull,
  statusCode: textOrNull,
  problem: textOrNull,
});

const change = Type.Object(
  {
    location: Type.Optional(Type.String()),
    /** As in the resource manager; `signingSecret` may be `generate`. */
    properties: Type.Object({}),
  },
  strict,
);

export const listWebhooks = defineOperation({
  id: 'list-webhooks',
  method: 'GET',
  path: base,
  source: 'Berth; acr-api 5',
  permission: operator,
  summary: 'Lists the webhooks of the registry.',
  responses: { 200: { description: 'the webhooks, by name', schema: Type.Object({ webhooks: Type.Array(webhook) }) } },
  errors: [],
});
export const getWebhook = defineOperation({
  id: 'get-webhook',
  method: 'GET',
  path: one,
  source: 'Berth; acr-api 5',
  permission: operator,
  summary: 'Shows a webhook and how many of its events wait, without its secrets.',
  params: byName,
  responses: { 200: { description: 'the webhook', schema: webhook } },
  errors: ['NOT_FOUND'],
});
export const putWebhook = defineOperation({
  id: 'put-webhook',
  method: 'PUT',
  path: one,
  source: 'Berth; acr-api 5',
  permission: operator,
  summary:
    'Makes or replaces a webhook; its properties are those of the resource manager. A signing secret that is generated is in the answer, this once.',
  params: byName,
  body: change,
  responses: { 200: { description: 'replaced', schema: webhook }, 201: { description: 'made', schema: webhook } },
  errors: ['INVALID_PARAMETER', 'QUOTA_EXCEEDED', 'CONFLICT', 'HOME_REGION_ONLY'],
});
export const updateWebhook = defineOperation({
  id: 'update-webhook',
  method: 'PATCH',
  path: one,
  source: 'Berth; acr-api 5',
  permission: operator,
  summary: 'Changes a webhook: what its properties leave out stays.',
  params: byName,
  body: change,
  responses: { 200: { description: 'changed', schema: webhook } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'CONFLICT', 'HOME_REGION_ONLY'],
});
export const deleteWebhook = defineOperation({
  id: 'delete-webhook',
  method: 'DELETE',
  path: one,
  source: 'Berth; acr-api 5',
  permission: operator,
  summary: 'Deletes a webhook; what waits is not sent any more.',
  params: byName,
  responses: { 204: { description: 'deleted' } },
  errors: ['NOT_FOUND', 'HOME_REGION_ONLY'],
});
export const pingWebhook = defineOperation({
  id: 'ping-webhook',
  method: 'POST',
  path: `${one}/ping`,
  source: 'Berth; acr-api 5.1',
  permission: operator,
  summary: 'Sends a webhook an event that means nothing, from the region that is asked.',
  params: byName,
  responses: { 202: { description: 'the event', schema: event } },
  errors: ['NOT_FOUND'],
});
export const listEvents = defineOperation({
  id: 'list-webhook-events',
  method: 'GET',
  path: `${one}/events`,
  source: 'Berth; acr-api 3.3',
  permission: operator,
  summary:
    'Lists events of a webhook, the newest first; with `after`, those behind a position in the order in which they were made.',
  params: byName,
  query: Type.Object({
    status: Type.Optional(Type.String()),
    before: Type.Optional(Type.String()),
    after: Type.Optional(Type.String()),
    limit: Type.Optional(Type.String()),
  }),
  responses: {
    200: {
      description: 'events; `next` is where the list goes on',
      schema: Type.Object({ events: Type.Array(event), next: textOrNull }),
    },
  },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER'],
});
export const getEvent = defineOperation({
  id: 'get-webhook-event',
  method: 'GET',
  path: `${one}/events/{event}`,
  source: 'Berth; acr-api 3.3',
  permission: operator,
  summary: 'Shows an event of a webhook with what was sent and answered last; secrets are left out.',
  params: Type.Object({ webhook: Type.String(), event: Type.String() }),
  responses: { 200: { description: 'the event', schema: event } },
  errors: ['NOT_FOUND'],
});
export const replayEvents = defineOperation({
  id: 'replay-webhook-events',
  method: 'POST',
  path: `${one}/replay`,
  source: 'Berth',
  permission: operator,
  summary: 'Sends an event again, or all events that were made in a span of time, with the ids that they had.',
  params: byName,
  body: Type.Object(
    {
      event: Type.Optional(Type.String()),
      since: Type.Optional(Type.String({ description: 'RFC 3339' })),
      until: Type.Optional(Type.String({ description: 'RFC 3339; now without' })),
    },
    strict,
  ),
  responses: { 202: { description: 'how many', schema: Type.Object({ replayed: Type.Integer() }) } },
  errors: ['NOT_FOUND', 'INVALID_PARAMETER', 'CONFLICT'],
});
