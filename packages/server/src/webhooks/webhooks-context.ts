import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { KeyRing } from '../platform/keys/index.ts';
import type { Logger } from '../platform/logger.ts';
import type { Outbound } from '../platform/outbound/index.ts';
import type { Registry } from '../tenancy/index.ts';

export interface WebhookLimits {
  /** How long events are kept that were delivered or given up. */
  readonly webhookEventRetentionMs: number;
  /** How long an event is tried. */
  readonly webhookRetryTimeMs: number;
  /** Deliveries at once, of all webhooks together. */
  readonly webhookDeliveries: number;
}

/** What webhooks work with. */
export interface WebhooksContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly outbound: Outbound;
  /** This region. */
  readonly region: string;
  readonly registries: {
    all(): readonly Registry[];
    byId(registryId: number): Registry | undefined;
  };
  readonly limits: WebhookLimits;
  /** Something may be there to be sent: a webhook changed, or an event was made. */
  wake(registryId: number): void;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}
