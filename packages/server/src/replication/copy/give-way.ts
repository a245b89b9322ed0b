import { type EventLoopUtilization, performance } from 'node:perf_hooks';

export interface GiveWayOptions {
  /** Bytes a second that are copied whatever else goes on. 0: copies never give way. */
  readonly leastBytesPerSecond: number;
  /** As good as no limit. */
  readonly mostBytesPerSecond?: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
  /** What part of the time this process has worked since a result before. */
  readonly utilization?: (since: EventLoopUtilization | undefined) => EventLoopUtilization;
}

/** Clients who came within this time are still there. Who comes less often has a copy in his way now and then. */
const presentMs = 50;
const lookMs = 100;
/** A look that is older than this says nothing of now: there was nothing to copy. */
const staleMs = 1_000;
/** Beyond this a request waits behind others, rather than being served as it comes. */
const busy = 0.7;
const unlimitedBytesPerSecond = 2 ** 30;

/**
 * How fast content of other regions may come, so that a region's own clients hardly notice: as fast as it can while there are none.
 * While there are, copies slow down as long as this process has little time left, and speed up again when it has.
 */
export class GiveWay {
  readonly #options: GiveWayOptions;
  readonly #now: () => number;
  #servedAt = Number.NEGATIVE_INFINITY;
  #rate: number;
  #looked: { readonly at: number; readonly utilization: EventLoopUtilization } | undefined;

  constructor(options: GiveWayOptions) {
    this.#options = options;
    this.#rate = options.mostBytesPerSecond ?? unlimitedBytesPerSecond;
    this.#now = options.now ?? (() => performance.now());
  }

  /** A client of this region was served. */
  served(): void {
    this.#servedAt = this.#now();
  }

  /** 0: as many as it can. */
  bytesPerSecond(): number {
    const now = this.#now();
    const { leastBytesPerSecond } = this.#options;
    if (leastBytesPerSecond > 0 && now - this.#servedAt <= presentMs) {
      this.#look(now);
      return this.#rate;
    }
    this.#looked = undefined;
    return 0;
  }

  #look(now: number): void {
    const { leastBytesPerSecond, mostBytesPerSecond = unlimitedBytesPerSecond, utilization = utilizationSince } = this.#options;
    const before = this.#looked;
    if (before !== undefined && now - before.at < lookMs) return;
    this.#looked = { at: now, utilization: utilization(undefined) };
    if (before === undefined || now - before.at > staleMs) return;
    const isBusy = utilization(before.utilization).utilization > busy;
    this.#rate = isBusy ? Math.max(leastBytesPerSecond, this.#rate / 2) : Math.min(mostBytesPerSecond, this.#rate * 1.25);
  }
}

function utilizationSince(since: EventLoopUtilization | undefined): EventLoopUtilization {
  return performance.eventLoopUtilization(since);
}
