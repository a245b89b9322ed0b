import type { Exchange } from './exchange.ts';

/** Of one webhook at once, for different repositories. */
const perReceiver = 4;
/** Slower answers prove nothing. */
const slowMs = 1_000;
/** More receivers are not remembered. */
const maxKept = 10_000;

interface Receiver {
  active: number;
  /** It answered the last time, and soon. */
  isProven: boolean;
  /** Until when nothing is sent to it: it did not answer. */
  restUntil: number;
}

/**
 * How many deliveries go on, so that receivers that hang hold up nobody else: one that has not answered well the last time gets
 * one at a time, and all of those together half of what there is.
 */
export class Receivers {
  readonly #limit: number;
  readonly #receivers = new Map<string, Receiver>();
  #active = 0;
  #unproven = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many more may be sent to one now. */
  room(key: string, now: number): number {
    const { active = 0, isProven = false, restUntil = 0 } = this.#receivers.get(key) ?? {};
    if (restUntil > now) return 0;
    const free = this.#limit - this.#active;
    const room = isProven ? perReceiver - active : Math.min(1 - active, this.#half() - this.#unproven);
    return Math.max(0, Math.min(room, free));
  }

  begin(key: string): void {
    const receiver = this.#receivers.get(key) ?? { active: 0, isProven: false, restUntil: 0 };
    this.#count(receiver, 1);
    // The one that was used last stands last.
    this.#receivers.delete(key);
    this.#receivers.set(key, receiver);
    this.#forgetOldest();
  }

  /** `nextAt`: when what was not delivered is tried again; until then a receiver that does not answer has its rest. */
  end(key: string, { exchange, nextAt }: { readonly exchange: Exchange | undefined; readonly nextAt: number | null }): void {
    const receiver = this.#receivers.get(key);
    if (receiver === undefined) return;
    this.#count(receiver, -1);
    if (exchange === undefined) return;
    const hasAnswered = exchange.problem === null;
    this.#unproven -= receiver.isProven ? 0 : receiver.active;
    receiver.isProven = hasAnswered && exchange.durationMs <= slowMs;
    this.#unproven += receiver.isProven ? 0 : receiver.active;
    receiver.restUntil = hasAnswered ? 0 : (nextAt ?? 0);
  }

  /** Something about the webhooks of a registry changed, or somebody wants to know now: nobody rests. */
  rouse(isMeant: (key: string) => boolean): void {
    for (const [key, receiver] of this.#receivers) if (isMeant(key)) receiver.restUntil = 0;
  }

  #half(): number {
    return Math.max(1, Math.floor(this.#limit / 2));
  }

  #count(receiver: Receiver, by: 1 | -1): void {
    receiver.active += by;
    this.#active += by;
    if (!receiver.isProven) this.#unproven += by;
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
