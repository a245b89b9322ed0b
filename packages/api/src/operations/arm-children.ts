import { Type } from '../schema.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { list, may, ofRegistry, registry, registryType, resource, version } from './arm-words.ts';

/** Child resources of registries (acr-api 3.2). */

type ChildOperation = 'list' | 'get' | 'put' | 'patch' | 'delete';

/** What writing children of some collections may come to beside the usual. */
const taskErrors: Readonly<Record<string, Operation['errors']>> = {
  tasks: ['TASK_FILE_INVALID'],
  taskRuns: ['TASK_FILE_INVALID', 'TOOMANYREQUESTS', 'UPSTREAM_FAILED'],
};

/** The operations that every collection of children has. */
function childOperations(
  collection: string,
  words: { readonly one: string; readonly many: string },
  maxBodyBytes?: number,
): Readonly<Record<ChildOperation, Operation>> {
  const all = `${registry}/${collection}`;
  const one = `${all}/{childName}`;
  const action = (verb: string): Operation['permission'] => may(`${registryType}/${collection}/${verb}`);
  const id = (verb: string): string => `arm-${verb}-${words.one.replaceAll(' ', '-')}`;
  const source = 'acr-api 3.2';
  const body = Type.Object({
    location: Type.Optional(Type.String()),
    tags: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
    properties: Type.Optional(Type.Object({})),
  });
  const writeErrors = [...ofRegistry, 'INVALID_PARAMETER', 'QUOTA_EXCEEDED', 'CONFLICT', ...(taskErrors[collection] ?? [])];
  const shown = { description: `the ${words.one}`, schema: resource };
  const size = maxBodyBytes === undefined ? {} : { maxBodyBytes };
  return {
    list: {
      id: id('list'),
      method: 'GET',
      path: all,
      source,
      permission: action('read'),
      query: version,
      summary: `Lists the ${words.many} of a registry.`,
      responses: { 200: { description: `the ${words.many}`, schema: list } },
      errors: ofRegistry,
    },
    get: {
      id: id('get'),
      method: 'GET',
      path: one,
      source,
      permission: action('read'),
      query: version,
      summary: `Describes a ${words.one}.`,
      responses: { 200: shown },
      errors: ofRegistry,
    },
    put: {
      id: id('put'),
      method: 'PUT',
      path: one,
      source,
      permission: action('write'),
      query: version,
      body,
      ...size,
      summary: `Makes or replaces a ${words.one}.`,
      responses: { 200: shown, 201: shown },
      errors: writeErrors,
    },
    patch: {
      id: id('patch'),
      method: 'PATCH',
      path: one,
      source,
      permission: action('write'),
      query: version,
      body,
      ...size,
      summary: `Changes a ${words.one}.`,
      responses: { 200: shown },
      errors: writeErrors,
    },
    delete: {
      id: id('delete'),
      method: 'DELETE',
      path: one,
      source,
      permission: action('delete'),
      query: version,
      summary: `Deletes a ${words.one}.`,
      responses: { 200: { description: 'deleted' }, 204: { description: 'there was none' } },
      errors: ofRegistry,
    },
  };
}

/** By collection. A feature that brings a kind of child adds its line here. */
export const children = {
  scopeMaps: childOperations('scopeMaps', { one: 'scope map', many: 'scope maps' }),
  tokens: childOperations('tokens', { one: 'token', many: 'tokens' }),
  webhooks: childOperations('webhooks', { one: 'webhook', many: 'webhooks' }),
  replications: childOperations('replications', { one: 'replication', many: 'replications' }),
  // A task file may come with them.
  tasks: childOperations('tasks', { one: 'task', many: 'tasks' }, 2 ** 20),
  taskRuns: childOperations('taskRuns', { one: 'task run', many: 'task runs' }, 2 ** 20),
  agentPools: childOperations('agentPools', { one: 'agent pool', many: 'agent pools' }),
} as const;

export const getWebhookCallback = webhookAction('getCallbackConfig', 'Shows where a webhook sends to, and with which headers.');
export const pingWebhook = webhookAction('ping', 'Sends a webhook an event that means nothing; answers with its id.');
export const listWebhookEvents = webhookAction(
  'listEvents',
  'Lists what a webhook was sent and how it answered, the newest first.',
);
/** Where a `nextLink` of the list leads: clients follow it with GET. */
export const listMoreWebhookEvents: Operation = { ...listWebhookEvents, id: 'arm-webhook-list-more-events', method: 'GET' };

function webhookAction(verb: 'ping' | 'listEvents' | 'getCallbackConfig', summary: string): Operation {
  return defineOperation({
    id: `arm-webhook-${verb.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    method: 'POST',
    path: `${registry}/webhooks/{childName}/${verb}`,
    source: 'acr-api 3.2',
    permission: may(`${registryType}/webhooks/${verb}/action`),
    summary,
    query: version,
    responses: { 200: { description: 'the answer', schema: Type.Object({}) } },
    errors: ofRegistry,
  });
}
