import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import { RegistryError } from '../errors/index.ts';
import type { Logger } from '../platform/logger.ts';
import { EqualPulls } from './equal-pulls.ts';
import { type AuditEvent, documentOf } from './model.ts';
import { recordEvents, removeOldEvents } from './transactions.ts';

/** Events that wait for the database: some seconds of a busy registry. */
const maxWaiting = 20_000;
/** From here on pulls are left out, which are the most and matter the least. */
const maxWithPulls = 10_000;
/** From here on equal pulls become one event with a count. */
const manyWaiting = 200;
const perBatch = 500;

export interface AuditTrailOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds. */
  readonly retentionMs: number;
  /** Takes each event as a line of JSON, too. */
  readonly writeLine?: (line: string) => void;
}

/** Who did what: kept in memory for a second, then in the database. A request never waits for it. */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  #waiting: AuditEvent[] = [];
  readonly #equalPulls = new EqualPulls();
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
  }

  /** Events that were left out because the database did not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  record(event: AuditEvent): void {
    this.#options.writeLine?.(JSON.stringify(documentOf(event)));
    if (event.operation === 'Pull') this.#recordPull(event);
    else this.#keep(event, maxWaiting);
  }

  #recordPull(event: AuditEvent): void {
    if (this.#equalPulls.join(event)) return;
    const isKept = this.#keep(event, maxWithPulls);
    if (isKept && this.#waiting.length > manyWaiting) this.#equalPulls.begin(event);
  }

  #keep(event: AuditEvent, atMost: number): boolean {
    const hasRoom = this.#waiting.length < atMost;
    if (hasRoom) this.#waiting.push(event);
    else this.#dropped += 1;
    return hasRoom;
  }

  /** Writes all that waits now. */
  async flush(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Removes what is older than it is kept, in batches. */
  async expire(signal: AbortSignal): Promise<void> {
    const { database, clock, retentionMs } = this.#options;
    const before = clock.now() - retentionMs;
    for (let isMore = true; isMore && !signal.aborted; ) isMore = await database.write(removeOldEvents, { before });
  }

  /** What comes meanwhile waits for the next time: pulls have a second to find their equals. */
  async #write(): Promise<void> {
    this.#equalPulls.clear();
    for (let left = this.#waiting.length; left > 0; ) {
      const batch = this.#waiting.slice(0, Math.min(left, perBatch));
      await this.#writeBatch(batch);
      this.#waiting.splice(0, batch.length);
      left -= batch.length;
    }
  }

  /** A batch that cannot be written stays for the next time: the database may be away for a moment. */
  async #writeBatch(batch: readonly AuditEvent[]): Promise<void> {
    const { database } = this.#options;
    try {
      await database.write(recordEvents, batch);
    } catch (error) {
      if (error instanceof RegistryError || batch.length === 1) throw error;
      await this.#writeSingly(batch, error);
    }
  }

  /** One event that the database does not take must not hold up all that come after it. */
  async #writeSingly(batch: readonly AuditEvent[], reason: unknown): Promise<void> {
    const { database, log } = this.#options;
    let refused = 0;
    for (const event of batch) {
      try {
        await database.write(recordEvents, [event]);
      } catch (error) {
        if (error instanceof RegistryError) throw error;
        refused += 1;
      }
    }
    // Then it is not the events that are wrong.
    if (refused === batch.length) throw reason;
    this.#dropped += refused;
    log.error({ err: reason, events: refused }, 'the database refused events of the audit trail; they are lost');
  }
}
