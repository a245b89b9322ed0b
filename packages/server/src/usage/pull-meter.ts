import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { Logger } from '../platform/logger.ts';
import { type ManifestPulls, type TagPulls, recordUsage } from './transactions.ts';

/** A manifest that was served. */
export interface Pull {
  readonly registryId: number;
  readonly repository: string;
  readonly manifestId: number;
  /** The tag that was asked for, if it was one. */
  readonly tag: string | undefined;
}

/** More than a busy registry sees of distinct images within the time of one round. */
const maxPending = 20_000;
/** Of one transaction: others write between two of them. */
const rowsPerBatch = 500;
const hourMs = 3_600_000;

/**
 * Counts pulls and pushes in memory; a pull never waits for a write. What was counted in the last seconds is lost when the
 * process is killed.
 */
export class PullMeter {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  #manifests = new Map<number, { count: number; at: number }>();
  #tags = new Map<string, TagPulls & { at: number }>();
  #hours = new Map<string, { readonly registryId: number; readonly hour: number; pulls: number; pushes: number }>();
  #pulls = 0;
  #pushes = 0;
  #flushing: Promise<void> | undefined;

  constructor({ database, clock, log }: { readonly database: Database; readonly clock: Clock; readonly log: Logger }) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
  }

  /** Since the start. */
  get totals(): { readonly pulls: number; readonly pushes: number } {
    return { pulls: this.#pulls, pushes: this.#pushes };
  }

  pulled({ registryId, repository, manifestId, tag }: Pull): void {
    const at = this.#clock.now();
    this.#pulls += 1;
    this.#hourOf(registryId, at).pulls += 1;
    const known = this.#manifests.get(manifestId);
    if (known !== undefined) {
      known.count += 1;
      known.at = at;
    } else if (this.#hasRoom()) this.#manifests.set(manifestId, { count: 1, at });
    if (tag === undefined) return;
    const key = `${registryId}/${repository}:${tag}`;
    if (this.#tags.has(key) || this.#hasRoom()) this.#tags.set(key, { registryId, repository, tag, at });
  }

  /** While the database does not keep up, what was not pulled before is left out. */
  #hasRoom(): boolean {
    if (this.#manifests.size + this.#tags.size < maxPending) return true;
    void this.flush();
    return this.#manifests.size + this.#tags.size < maxPending;
  }

  pushed(registryId: number): void {
    this.#pushes += 1;
    this.#hourOf(registryId, this.#clock.now()).pushes += 1;
  }

  /** Writes what was counted. */
  flush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const [manifests, tags, hours] = [this.#manifests, this.#tags, this.#hours];
    if (manifests.size === 0 && hours.size === 0) return;
    [this.#manifests, this.#tags, this.#hours] = [new Map(), new Map(), new Map()];
    const pulled: ManifestPulls[] = [...manifests].map(([id, { count, at }]) => ({ id, count, at }));
    const named = [...tags.values()];
    try {
      await this.#database.write(recordUsage, { manifests: [], tags: [], hours: [...hours.values()] });
      for (let start = 0; start < Math.max(pulled.length, named.length); start += rowsPerBatch) {
        const end = start + rowsPerBatch;
        const batch = { manifests: pulled.slice(start, end), tags: named.slice(start, end), hours: [] };
        await this.#database.write(recordUsage, batch);
      }
    } catch (error) {
      this.#log.warn({ err: error, manifests: manifests.size }, 'counts of pulls could not be written and are lost');
    }
  }

  #hourOf(registryId: number, at: number): { pulls: number; pushes: number } {
    const hour = Math.floor(at / hourMs);
    const key = `${registryId}/${hour}`;
    const known = this.#hours.get(key);
    if (known !== undefined) return known;
    const fresh = { registryId, hour, pulls: 0, pushes: 0 };
    this.#hours.set(key, fresh);
    return fresh;
  }
}
