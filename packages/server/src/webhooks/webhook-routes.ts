import { webhooks as operations } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { readJson } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import {
  type ChildKind,
  type ChildrenContext,
  Fields,
  childrenAfter,
  findChild,
  invalid,
  patchChild,
  putChild,
  removeChild,
} from '../resources/index.ts';
import { callbackOf, factsOf } from './callback.ts';
import { waitingOf } from './events/queries.ts';
import { pingWebhook } from './events/ping-webhook.ts';
import { findEvent } from './events/queries.ts';
import { eventDocument } from './events/event-document.ts';
import { webhookCollection } from './model.ts';
import { type StoredWebhook, webhookDocument } from './webhook-document.ts';
import { webhookNameRule } from './webhook-kind.ts';
import type { WebhooksContext } from './webhooks-context.ts';

/** More than any plan allows. */
const maxWebhooks = 1000;

interface RouteParts {
  readonly context: WebhooksContext;
  readonly kind: ChildKind;
  readonly children: ChildrenContext;
}

/** Webhooks as `berth` asks for them; the same rows and rules as those of the resource manager. */
export function webhookRoutes(parts: RouteParts): readonly Route[] {
  const { context, kind, children } = parts;
  return [
    { operation: operations.listWebhooks, handle: (request) => list(context, request) },
    { operation: operations.getWebhook, handle: (request) => show(context, request) },
    { operation: operations.putWebhook, handle: (request) => put(parts, request) },
    { operation: operations.updateWebhook, handle: (request) => update(parts, request) },
    {
      operation: operations.deleteWebhook,
      handle: async (request) => {
        requireHome(request);
        const { name } = await requireWebhook(context, request);
        await removeChild(children, kind, { registry: request.registry, name });
        return { status: 204 };
      },
    },
    {
      operation: operations.pingWebhook,
      handle: async (request) => {
        const { registry } = request;
        const webhook = await requireWebhook(context, request);
        const id = await pingWebhook(context, registry, webhook);
        const { key } = factsOf(webhook.name, webhook.properties);
        const event = await findEvent(context.database.read, { registryId: registry.id, webhook: key }, id);
        return { ...answer(event && eventDocument(event)), status: 202 };
      },
    },
  ];
}

async function list(context: WebhooksContext, { registry }: RouteRequest): Promise<Reply> {
  const page = { registryId: registry.id, kind: webhookCollection, after: '', limit: maxWebhooks };
  const found = (await childrenAfter(context.database.read, page)) as readonly StoredWebhook[];
  return answer({ webhooks: found.map((webhook) => webhookDocument(context, registry, webhook)) });
}

async function show(context: WebhooksContext, request: RouteRequest): Promise<Reply> {
  const { registry } = request;
  const webhook = await requireWebhook(context, request);
  const { key } = factsOf(webhook.name, webhook.properties);
  const waiting = await waitingOf(context.database.read, { registryId: registry.id, webhook: key });
  return answer({ ...webhookDocument(context, registry, webhook), waiting });
}

async function put({ context, kind, children }: RouteParts, request: RouteRequest): Promise<Reply> {
  requireHome(request);
  const { registry, principal } = request;
  const name = request.params['webhook'] ?? '';
  if (!webhookNameRule.pattern.test(name)) throw invalid('name', `of a webhook must be ${webhookNameRule.words}`);
  const document = new Fields(await readJson(request, operations.putWebhook.body), '');
  const { isNew } = await putChild(children, kind, {
    registry,
    name,
    document,
    by: principal.name,
    requestedBy: principal.id,
    location: document.text('location', 90) ?? context.region,
    tags: undefined,
  });
  return { ...(await written(context, request, document)), status: isNew ? 201 : 200 };
}

async function update({ context, kind, children }: RouteParts, request: RouteRequest): Promise<Reply> {
  requireHome(request);
  const { registry, principal } = request;
  const { name } = await requireWebhook(context, request);
  const document = new Fields(await readJson(request, operations.updateWebhook.body), '');
  await patchChild(children, kind, {
    registry,
    name,
    document,
    by: principal.name,
    requestedBy: principal.id,
    tags: undefined,
    before: () => requireWebhook(context, request),
  });
  return written(context, request, document);
}

/** What was written, with the signing secret when it was made for this request: it is shown this once. */
async function written(context: WebhooksContext, request: RouteRequest, document: Fields): Promise<Reply> {
  const { registry } = request;
  const webhook = await requireWebhook(context, request);
  const isGenerated = document.object('properties').text('signingSecret') === 'generate';
  const { signingSecret } = callbackOf(context.keys, registry.id, webhook.properties);
  return answer({ ...webhookDocument(context, registry, webhook), ...(isGenerated && { signingSecret }) });
}

/** @throws NOT_FOUND */
export async function requireWebhook({ database }: WebhooksContext, { registry, params }: RouteRequest): Promise<StoredWebhook> {
  const name = params['webhook'] ?? '';
  const found = await findChild(database.read, { registryId: registry.id, kind: webhookCollection, name });
  if (found !== undefined) return found as StoredWebhook;
  throw new RegistryError('NOT_FOUND', { message: `there is no webhook ${JSON.stringify(name.slice(0, 64))}` });
}

/** @throws HOME_REGION_ONLY */
function requireHome({ registry }: RouteRequest): void {
  if (registry.homeRegion === undefined) return;
  throw new RegistryError('HOME_REGION_ONLY', {
    message: `webhooks of ${registry.name} are written in its home region, ${registry.homeRegion}; ask there`,
  });
}

export function answer(json: unknown): Reply {
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}
