import type { Exchange } from './exchange.ts';

/** Of one webhook at once, for different repositories. */
const perReceiver = 4;
/** Slower answers make a receiver count as slow. */
const slowMs = 1_000;
/** More than there can be in work and in trouble at once. */
const maxKept = 10_000;

interface Receiver {
  active: number;
  /** It did not answer, or late, the last time. */
  isSlow: boolean;
  /** Until when nothing is sent to it: it did not answer. */
  restUntil: number;
}

/**
 * How many deliveries go on, so that one receiver that hangs holds up nobody else: a slow one gets one at a time, all slow ones
 * together half of what there is.
 */
export class Receivers {
  readonly #limit: number;
  readonly #receivers = new Map<string, Receiver>();
  #active = 0;
  #slow = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get active(): number {
    return this.#active;
  }

  /** How many more may be sent to one now. */
  room(key: string, now: number): number {
    const { active = 0, isSlow = false, restUntil = 0 } = this.#receivers.get(key) ?? {};
    if (restUntil > now) return 0;
    const free = this.#limit - this.#active;
    const room = isSlow ? Math.min(1 - active, Math.max(1, Math.floor(this.#limit / 2)) - this.#slow) : perReceiver - active;
    return Math.max(0, Math.min(room, free));
  }

  begin(key: string): void {
    const receiver = this.#receivers.get(key) ?? { active: 0, isSlow: false, restUntil: 0 };
    this.#count(receiver, 1);
    this.#receivers.delete(key);
    this.#receivers.set(key, receiver);
  }

  /** `nextAt`: when what was not delivered is tried again; until then a receiver that does not answer has its rest. */
  end(key: string, { exchange, nextAt }: { readonly exchange: Exchange | undefined; readonly nextAt: number | null }): void {
    const receiver = this.#receivers.get(key);
    if (receiver === undefined) return;
    this.#count(receiver, -1);
    if (exchange !== undefined) {
      const hasAnswered = exchange.problem === null;
      this.#slow -= receiver.isSlow ? receiver.active : 0;
      receiver.isSlow = !hasAnswered || exchange.durationMs > slowMs;
      this.#slow += receiver.isSlow ? receiver.active : 0;
      receiver.restUntil = hasAnswered ? 0 : (nextAt ?? 0);
    }
    if (receiver.active === 0 && !receiver.isSlow) this.#receivers.delete(key);
    else this.#forgetOldest();
  }

  /** Something about the webhooks of a registry changed, or somebody wants to know now: nobody rests. */
  rouse(isMeant: (key: string) => boolean): void {
    for (const [key, receiver] of this.#receivers) if (isMeant(key)) receiver.restUntil = 0;
  }

  #count(receiver: Receiver, by: 1 | -1): void {
    receiver.active += by;
    this.#active += by;
    if (receiver.isSlow) this.#slow += by;
  }

  #forgetOldest(): void {
    if (this.#receivers.size <= maxKept) return;
    for (const [key, { active }] of this.#receivers) {
      if (active > 0) continue;
      this.#receivers.delete(key);
      return;
    }
  }
}
