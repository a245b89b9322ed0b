export {
  type PortableWebhook,
  type StoredProperties as StoredWebhookProperties,
  portableWebhook,
  storedWebhook,
} from './callback.ts';
export { type Webhooks, type WebhooksOptions, createWebhooks } from './create-webhooks.ts';
