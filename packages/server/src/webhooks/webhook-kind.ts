import { randomUUID } from 'node:crypto';
import { arm } from '@berth/api';
import type { Child, ChildKind, Fields, KindScene } from '../resources/index.ts';
import { type StoredProperties, type WebhookProperties, callbackOf, factsOf, sealCallback } from './callback.ts';
import { listedEvents } from './events/list-events.ts';
import { pingWebhook } from './events/ping-webhook.ts';
import { type Callback, webhookCollection } from './model.ts';
import {
  readActions,
  readAddress,
  readFormat,
  readHeaders,
  readScope,
  readSigningSecret,
  readStatus,
  requireActions,
  requireAddress,
} from './read-properties.ts';
import type { WebhooksContext } from './webhooks-context.ts';

export const webhookNameRule = { pattern: /^[A-Za-z0-9]{5,50}$/, words: '5 to 50 letters and digits' };

/** Webhooks as resources (acr-api 3.3). Where a webhook sends to, and with which headers, is never shown with it. */
export function webhookKind(context: WebhooksContext): ChildKind<StoredProperties> {
  return {
    collection: webhookCollection,
    word: 'webhook',
    nameRule: webhookNameRule,
    isTracked: true,
    create: async (properties, scene) => createWebhook(context, properties, scene),
    update: (before, properties, scene) => changeWebhook(context, { before, properties, scene }),
    actions: [
      {
        operation: arm.getWebhookCallback,
        answer: ({ properties }, { registry }) => {
          const { serviceUri, customHeaders } = callbackOf(context.keys, registry.id, properties);
          return { serviceUri, customHeaders };
        },
      },
      {
        operation: arm.pingWebhook,
        answer: async (child, { registry }) => ({ id: await pingWebhook(context, registry, child) }),
      },
      {
        operation: arm.listWebhookEvents,
        answer: (child, { registry }, asked) => listedEvents(context, { registry, child }, asked),
      },
      {
        operation: arm.listMoreWebhookEvents,
        answer: (child, { registry }, asked) => listedEvents(context, { registry, child }, asked),
      },
    ],
    show: ({ name, properties }) => {
      const { status, scope, actions, payloadFormat, isSigned } = factsOf(name, properties);
      return { status, scope, actions, payloadFormat, isSigned };
    },
    changed: ({ registry }) => context.wake(registry.id),
  };
}

/** ACR's clients replace a webhook without knowing what is ours: that stays, as long as it tells the same host. */
async function createWebhook(context: WebhooksContext, properties: Fields, scene: KindScene): Promise<WebhookProperties> {
  const { registry, name, now } = scene;
  const found = (await scene.find(webhookCollection, name)) as Child<StoredProperties> | undefined;
  const before = found && {
    facts: factsOf(found.name, found.properties),
    callback: callbackOf(context.keys, registry.id, found.properties),
  };
  const serviceUri = requireAddress(properties);
  const status = readStatus(properties) ?? 'enabled';
  const secret = readSigningSecret(properties);
  const kept =
    before === undefined || isOtherOrigin(before.callback.serviceUri, serviceUri) ? undefined : before.callback.signingSecret;
  return propertiesOf(context, registry.id, {
    facts: {
      key: before?.facts.key ?? randomUUID(),
      enabledAt: before?.facts.status === 'enabled' ? before.facts.enabledAt : now,
      status,
      scope: readScope(properties) ?? '',
      actions: readActions(properties) ?? requireActions(properties),
      payloadFormat: readFormat(properties) ?? before?.facts.payloadFormat ?? 'acr',
    },
    callback: {
      serviceUri,
      customHeaders: readHeaders(properties) ?? {},
      signingSecret: secret === undefined ? kept : (secret ?? undefined),
    },
  });
}

interface WebhookChange {
  readonly before: StoredProperties;
  readonly properties: Fields;
  readonly scene: KindScene;
}

function changeWebhook(context: WebhooksContext, { before, properties, scene }: WebhookChange): WebhookProperties {
  const { registry, name, now } = scene;
  const facts = factsOf(name, before);
  const callback = callbackOf(context.keys, registry.id, before);
  const serviceUri = readAddress(properties) ?? callback.serviceUri;
  // Another address must not get the secrets of the one before, nor what is signed with them (attack 30).
  const kept = isOtherOrigin(callback.serviceUri, serviceUri) ? { customHeaders: {}, signingSecret: undefined } : callback;
  const secret = readSigningSecret(properties);
  const status = readStatus(properties) ?? facts.status;
  return propertiesOf(context, registry.id, {
    facts: {
      key: facts.key,
      enabledAt: facts.status === 'disabled' && status === 'enabled' ? now : facts.enabledAt,
      status,
      scope: readScope(properties) ?? facts.scope,
      actions: readActions(properties) ?? facts.actions,
      payloadFormat: readFormat(properties) ?? facts.payloadFormat,
    },
    callback: {
      serviceUri,
      customHeaders: readHeaders(properties) ?? kept.customHeaders,
      signingSecret: secret === undefined ? kept.signingSecret : (secret ?? undefined),
    },
  });
}

function propertiesOf(
  { keys }: WebhooksContext,
  registryId: number,
  { facts, callback }: { readonly facts: Omit<WebhookProperties, 'callback' | 'isSigned'>; readonly callback: Callback },
): WebhookProperties {
  const isSigned = callback.signingSecret !== undefined;
  return { ...facts, isSigned, callback: sealCallback(keys, registryId, callback) };
}

function isOtherOrigin(before: string, after: string): boolean {
  return URL.parse(before)?.origin !== URL.parse(after)?.origin;
}
