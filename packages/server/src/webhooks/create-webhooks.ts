import type { Metrics } from '../platform/metrics.ts';
import { repeat } from '../platform/repeat.ts';
import type { ChildKind, ChildrenContext } from '../resources/index.ts';
import { Deliveries } from './deliver/deliveries.ts';
import { forgetOldEvents } from './deliver/forget-old-events.ts';
import { countWaiting } from './deliver/queries.ts';
import { eventRoutes } from './events/event-routes.ts';
import { followChanges, passOver } from './follow/follow-changes.ts';
import { grownSince } from './follow/queries.ts';
import { Rounds } from './rounds.ts';
import { webhookKind } from './webhook-kind.ts';
import { webhookRoutes } from './webhook-routes.ts';
import type { WebhooksContext } from './webhooks-context.ts';

/** How late a process may see what another one left to do, and what is to be tried again. */
const lookMs = 1_000;
/**
 * How far behind a registry without webhooks may be when its first one is made; and how late what could not be read at first may
 * be seen: on PostgreSQL the log ends before the oldest transaction that still runs.
 */
const passMs = 10_000;
/** Looks for which what grew is looked at once more, for the same reason. */
const looksBack = 10;
const expireMs = 600_000;

export interface WebhooksOptions extends Omit<WebhooksContext, 'wake'> {
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>;
  /** How many a registry may have. */
  readonly limitOf: NonNullable<ChildrenContext['limitOf']>;
}

/** Webhooks: what happens in a registry is told to whoever wants to know. */
export interface Webhooks {
  readonly routes: ReturnType<typeof eventRoutes>;
  readonly kind: ChildKind;
  /** Something was written to the change log of a registry: its webhooks are told at once. */
  changed(registryId: number): void;
  /** Begins what runs in the background until the signal aborts. */
  loops(): readonly Promise<void>[];
  stop(): Promise<void>;
}

export function createWebhooks({ metrics, limitOf, ...options }: WebhooksOptions): Webhooks {
  const { database, clock, registries, signal, log } = options;
  const context: WebhooksContext = {
    ...options,
    wake: (registryId) => {
      deliveries.rouse(registryId);
      changed(registryId);
    },
  };
  const deliveries = new Deliveries(context);
  const follower = new Follower(context, deliveries);
  const changed = (registryId: number): void => follower.changed(registryId);
  const kind = webhookKind(context) as ChildKind;
  const children: ChildrenContext = { database, clock, kinds: [kind], limitOf };
  metrics.counter('berth_webhook_deliveries_total', 'Events that receivers took.', () => deliveries.counts.delivered);
  metrics.counter('berth_webhook_failures_total', 'Attempts that receivers did not take.', () => deliveries.counts.refused);
  metrics.gauge('berth_webhook_waiting', 'Events of webhooks that wait.', () => countWaiting(database.read));
  const rounds = [
    { name: 'webhooks of other processes', everyMs: lookMs, work: () => follower.look() },
    {
      name: 'logs that webhooks follow',
      everyMs: passMs,
      work: async () => {
        for (const registry of registries.all()) {
          await passOver(context, registry);
          changed(registry.id);
        }
      },
    },
    { name: 'expiry of webhook events', everyMs: expireMs, work: () => forgetOldEvents(context) },
  ];
  return {
    kind,
    routes: [...webhookRoutes({ context, kind, children }), ...eventRoutes(context)],
    changed,
    loops: () => rounds.map(({ name, everyMs, work }) => repeat(work, { name, everyMs, signal, log })),
    stop: async () => {
      await follower.settled();
      await deliveries.settled();
    },
  };
}

/** Makes events of what happens, and has them sent. */
class Follower {
  readonly #context: WebhooksContext;
  readonly #deliveries: Deliveries;
  readonly #rounds: Rounds;
  readonly #changed = new Set<number>();
  /** Up to where this process has seen all logs together: now, and at some looks before. */
  #seen: readonly number[] = [];

  constructor(context: WebhooksContext, deliveries: Deliveries) {
    this.#context = context;
    this.#deliveries = deliveries;
    this.#rounds = new Rounds(() => this.#follow(), { name: 'changes', log: context.log, signal: context.signal });
  }

  changed(registryId: number): void {
    this.#changed.add(registryId);
    void this.#rounds.begin();
  }

  /** Looks for what other processes wrote, and for what is due again. */
  async look(): Promise<void> {
    const { registryIds, last } = await grownSince(this.#context.database, this.#seen.at(-1) ?? 0);
    for (const registryId of registryIds) this.#changed.add(registryId);
    await this.#rounds.begin();
    this.#seen = [last, ...this.#seen].slice(0, looksBack);
  }

  settled(): Promise<void> {
    return this.#rounds.settled();
  }

  async #follow(): Promise<void> {
    const ids = [...this.#changed];
    this.#changed.clear();
    for (const id of ids) {
      const registry = this.#context.registries.byId(id);
      if (registry !== undefined) await followChanges(this.#context, registry);
      // Whatever waits for the rest of a long list need not.
      await this.#deliveries.begin();
    }
    if (ids.length === 0) await this.#deliveries.begin();
  }
}
