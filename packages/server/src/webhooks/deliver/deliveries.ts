import type { Registry } from '../../tenancy/index.ts';
import { callbackOf } from '../callback.ts';
import { type KnownWebhook, webhooksOf } from '../follow/known-webhooks.ts';
import type { Payload } from '../payloads.ts';
import { Rounds } from '../rounds.ts';
import type { WebhooksContext } from '../webhooks-context.ts';
import type { Exchange } from './exchange.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { dueWebhooks } from './queries.ts';
import { Receivers } from './receivers.ts';
import { sendEvent } from './send-event.ts';
import { type ClaimedEvent, claimEvents, giveUpEvents, settleEvent } from './transactions.ts';

/** Longer than an attempt can take. */
const holdMs = 60_000;
/** Events that are given up at once. */
const batch = 500;

/** What became of deliveries of this process, for the metrics. */
export interface DeliveryCounts {
  delivered: number;
  refused: number;
}

/** Sends what is due, several at once, and records what became of it. */
export class Deliveries {
  readonly #context: WebhooksContext;
  readonly #receivers: Receivers;
  readonly #rounds: Rounds;
  readonly #underWay = new Set<Promise<void>>();
  readonly counts: DeliveryCounts = { delivered: 0, refused: 0 };

  constructor(context: WebhooksContext) {
    this.#context = context;
    this.#receivers = new Receivers(context.limits.webhookDeliveries);
    this.#rounds = new Rounds(() => this.#claim(), { name: 'deliveries', log: context.log, signal: context.signal });
  }

  /** Begins to send what is due; resolves once it is under way. */
  begin(): Promise<void> {
    return this.#rounds.begin();
  }

  /** The webhooks of a registry changed, or one is pinged: whoever did not answer is tried again. */
  rouse(registryId: number): void {
    const prefix = keyOf(registryId, '');
    this.#receivers.rouse((key) => key.startsWith(prefix));
  }

  /** Resolves once nothing is under way that this process may send now. */
  async settled(): Promise<void> {
    for (;;) {
      await this.#rounds.settled();
      if (this.#underWay.size === 0) return;
      await Promise.all(this.#underWay);
    }
  }

  async #claim(): Promise<void> {
    const { database, clock } = this.#context;
    const now = clock.now();
    const due = await dueWebhooks.all(database.read, { now });
    const wanted = [];
    // Each takes its places at once, so that the next one sees what is left; what is not found to be due gives them back.
    for (const { registry_id: registryId, webhook } of due) {
      const limit = this.#receivers.room(keyOf(registryId, webhook), now);
      for (let place = 0; place < limit; place += 1) this.#receivers.begin(keyOf(registryId, webhook));
      if (limit > 0) wanted.push({ registryId, webhook, limit });
    }
    if (wanted.length === 0) return;
    const heldUntil = now + holdMs;
    const started = new Map<string, number>();
    try {
      const events = await database.write(claimEvents, { wanted, now, heldUntil });
      const byRegistry = Map.groupBy(events, ({ registry_id }) => registry_id);
      for (const [registryId, ofRegistry] of byRegistry) await this.#startAll(registryId, ofRegistry, { heldUntil, started });
    } finally {
      for (const { registryId, webhook, limit } of wanted) {
        const key = keyOf(registryId, webhook);
        for (let place = started.get(key) ?? 0; place < limit; place += 1)
          this.#receivers.end(key, { exchange: undefined, nextAt: null });
      }
    }
  }

  /** Counts in `started` what it began. */
  async #startAll(
    registryId: number,
    events: readonly ClaimedEvent[],
    { heldUntil, started }: { readonly heldUntil: number; readonly started: Map<string, number> },
  ): Promise<void> {
    const { database, registries, region } = this.#context;
    const registry = registries.byId(registryId);
    // Deleted, or not yet known to this process: it is free again after its time.
    if (registry === undefined) return;
    const webhooks = await webhooksOf(database.read, registry, region);
    const byKey = new Map(webhooks.map((webhook) => [webhook.key, webhook]));
    const stopped = new Set<string>();
    for (const event of events) {
      const webhook = byKey.get(event.webhook);
      const isSent = webhook !== undefined && (event.action === 'ping' || (webhook.isHere && webhook.status === 'enabled'));
      if (!isSent) stopped.add(event.webhook);
      else {
        this.#start({ registry, webhook, event, heldUntil });
        const key = keyOf(registryId, event.webhook);
        started.set(key, (started.get(key) ?? 0) + 1);
      }
    }
    for (const key of stopped) await this.#giveUp(registryId, key, byKey.get(key));
  }

  async #giveUp(registryId: number, webhook: string, known: KnownWebhook | undefined): Promise<void> {
    const { database, clock } = this.#context;
    const now = clock.now();
    const problem =
      known?.isHere === true
        ? 'the webhook is disabled; once it is enabled, what it was not sent can be replayed'
        : 'the webhook was deleted, or belongs to another region';
    const exchange: Exchange = { at: now, durationMs: 0, request: { uri: '', headers: {} }, response: null, problem };
    const input = {
      registryId,
      webhook,
      exchange: JSON.stringify(exchange),
      sparesPings: known !== undefined,
      limit: batch,
      now,
    };
    while ((await database.write(giveUpEvents, input)) === batch);
  }

  #start(sending: Sending): void {
    const key = keyOf(sending.registry.id, sending.event.webhook);
    const done = this.#deliver(sending).then(
      (end) => this.#receivers.end(key, end),
      (error: unknown) => {
        this.#receivers.end(key, { exchange: undefined, nextAt: null });
        if (!this.#context.signal.aborted)
          this.#context.log.error({ err: error, webhook: sending.webhook.name }, 'an event could not be sent; it is tried again');
      },
    );
    const underWay = done.then(() => {
      this.#underWay.delete(underWay);
      // There is room again, and the next event of the repository may go.
      void this.begin();
    });
    this.#underWay.add(underWay);
  }

  async #deliver({ registry, webhook, event, heldUntil }: Sending): Promise<{ exchange: Exchange; nextAt: number | null }> {
    const { database, keys, clock, limits } = this.#context;
    const exchange = await sendEvent(this.#context, {
      // The text is ours.
      payload: JSON.parse(event.payload) as Payload,
      callback: callbackOf(keys, registry.id, webhook.properties),
      format: webhook.payloadFormat,
      resourceId: registry.resourceId,
    });
    const attempts = event.attempts + 1;
    const now = clock.now();
    const outcome: Outcome =
      event.action === 'ping'
        ? pingOutcome(exchange)
        : outcomeOf({
            exchange,
            attempts,
            wantedAt: event.wanted_at,
            retryTimeMs: limits.webhookRetryTimeMs,
            now,
            random: Math.random(),
          });
    if (outcome.status === 'delivered') this.counts.delivered += 1;
    else this.counts.refused += 1;
    await database.write(settleEvent, {
      ...outcome,
      id: event.id,
      registryId: registry.id,
      webhook: event.webhook,
      repository: event.repository,
      heldUntil,
      attempts,
      exchange: JSON.stringify(exchange),
      now,
    });
    return { exchange, nextAt: outcome.nextAt };
  }
}

interface Sending {
  readonly registry: Registry;
  readonly webhook: KnownWebhook;
  readonly event: ClaimedEvent;
  readonly heldUntil: number;
}

/** Whoever pings wants to know now. */
function pingOutcome(exchange: Exchange): Outcome {
  const { status = 0 } = exchange.problem === null ? (exchange.response ?? {}) : {};
  return { status: status >= 200 && status < 300 ? 'delivered' : 'failed', nextAt: null };
}

function keyOf(registryId: number, webhook: string): string {
  return `${registryId}:${webhook}`;
}
