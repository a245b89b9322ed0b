export { webhookKind } from './webhook-kind.ts';
