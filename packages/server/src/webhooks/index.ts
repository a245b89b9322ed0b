export { portableProperties, storedProperties } from './callback.ts';
export { type Webhooks, type WebhooksOptions, createWebhooks } from './create-webhooks.ts';
