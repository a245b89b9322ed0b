import type { Clock } from '../../platform/clock.ts';

/** What came from one region into one registry and is not in the database yet. */
export interface Unsaved {
  readonly registryId: number;
  readonly region: string;
  readonly copiedBytes: number;
  readonly damagedAnswers: number;
}

const windowSeconds = 10;

interface Window {
  /** Bytes by second, of the last seconds. */
  readonly bytes: Map<number, number>;
}

/** Counts what is copied, of each registry: what is stored now and again, and how fast it goes. */
export class CopyProgress {
  readonly #clock: Clock;
  readonly #windows = new Map<number, Window>();
  readonly #unsaved = new Map<string, { registryId: number; region: string; copiedBytes: number; damagedAnswers: number }>();
  #copiedBytes = 0;
  #damagedAnswers = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Since the start, of all registries. */
  get copiedBytes(): number {
    return this.#copiedBytes;
  }

  get damagedAnswers(): number {
    return this.#damagedAnswers;
  }

  copied(registryId: number, region: string, bytes: number): void {
    this.#copiedBytes += bytes;
    this.#unsavedOf(registryId, region).copiedBytes += bytes;
    this.passed(registryId, bytes);
  }

  /** What came for somebody who waits, and was not kept. */
  passed(registryId: number, bytes: number): void {
    const second = Math.floor(this.#clock.now() / 1000);
    const { bytes: bySecond } = this.#windowOf(registryId);
    bySecond.set(second, (bySecond.get(second) ?? 0) + bytes);
    for (const old of bySecond.keys()) if (old <= second - windowSeconds) bySecond.delete(old);
  }

  damaged(registryId: number, region: string): void {
    this.#damagedAnswers += 1;
    this.#unsavedOf(registryId, region).damagedAnswers += 1;
  }

  /** Bytes a second, of the last ten seconds or of what there were. */
  bytesPerSecond(registryId: number): number {
    const window = this.#windows.get(registryId);
    if (window === undefined) return 0;
    const now = this.#clock.now() / 1000;
    let sum = 0;
    let first = now;
    for (const [second, bytes] of window.bytes) {
      if (second <= now - windowSeconds) continue;
      sum += bytes;
      first = Math.min(first, second);
    }
    return sum === 0 ? 0 : Math.round(sum / Math.max(1, now - first));
  }

  /** What was not stored yet; counted as stored from now on. */
  takeUnsaved(): readonly Unsaved[] {
    const taken = [...this.#unsaved.values()];
    this.#unsaved.clear();
    return taken;
  }

  /** What could not be stored is tried again. */
  putBack(counts: readonly Unsaved[]): void {
    for (const { registryId, region, copiedBytes, damagedAnswers } of counts) {
      const unsaved = this.#unsavedOf(registryId, region);
      unsaved.copiedBytes += copiedBytes;
      unsaved.damagedAnswers += damagedAnswers;
    }
  }

  /** For registries that there are not any more. */
  keepOnly(registryIds: ReadonlySet<number>): void {
    for (const id of this.#windows.keys()) if (!registryIds.has(id)) this.#windows.delete(id);
  }

  #windowOf(registryId: number): Window {
    let window = this.#windows.get(registryId);
    if (window === undefined) this.#windows.set(registryId, (window = { bytes: new Map() }));
    return window;
  }

  #unsavedOf(registryId: number, region: string) {
    const key = `${registryId}:${region}`;
    let unsaved = this.#unsaved.get(key);
    if (unsaved === undefined) this.#unsaved.set(key, (unsaved = { registryId, region, copiedBytes: 0, damagedAnswers: 0 }));
    return unsaved;
  }
}
