import type { Setting } from './setting.ts';

const day = 86_400_000;

/** Rows of the settings table about webhooks. */
export const webhookSettings = [
  {
    group: 'Regions',
    name: 'webhookEventRetention',
    kind: 'duration',
    default: '30d',
    min: day,
    max: 3650 * day,
    env: 'BERTH_WEBHOOK_EVENT_RETENTION',
    flag: 'webhook-event-retention',
    placeholder: 'TIME',
    help: 'How long events of webhooks are kept, with what was sent and answered; until then they can be replayed.',
  },
  {
    group: 'Regions',
    name: 'webhookRetryTime',
    kind: 'duration',
    default: '1d',
    min: 1000,
    max: 30 * day,
    env: 'BERTH_WEBHOOK_RETRY_TIME',
    flag: 'webhook-retry-time',
    placeholder: 'TIME',
    help: 'How long an event is tried, ever more seldom, when its receiver does not take it.',
  },
  {
    group: 'Regions',
    name: 'webhookDeliveries',
    kind: 'integer',
    default: '32',
    min: 1,
    max: 256,
    env: 'BERTH_WEBHOOK_DELIVERIES',
    flag: 'webhook-deliveries',
    placeholder: 'N',
    help: 'Events of webhooks that this process sends at once; one webhook gets four of them at the most, those that are slow half of them together.',
  },
] as const satisfies readonly Setting[];
