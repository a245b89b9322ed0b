import type { Database } from '../platform/database/index.ts';
import { lastSequence } from './queries.ts';

type Listener = (registryId: number) => void;

/** Who writes a lot rings this often at the most. */
const pauseMs = 10;

/**
 * Rings for a registry whose log may have grown, soon after this process wrote to it. What other processes write, readers find
 * by the clock.
 */
export class LogBell {
  readonly #database: Pick<Database, 'engine' | 'read'>;
  readonly #listeners: Listener[] = [];
  /** The last sequence that was rung for, by registry. */
  readonly #rung = new Map<number, number>();
  readonly #soon = new Map<number, NodeJS.Timeout>();

  constructor(database: Pick<Database, 'engine' | 'read'>) {
    this.#database = database;
  }

  onGrown(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** A transaction has committed; `input`: what it was given. */
  written(input: unknown): void {
    const registryId = registryOf(input);
    if (registryId === undefined || this.#listeners.length === 0 || this.#soon.has(registryId)) return;
    // The first rings at once; what is written within the pause, with the next.
    const timer = setTimeout(() => {
      this.#soon.delete(registryId);
      this.#ring(registryId);
    }, pauseMs);
    timer.unref();
    this.#soon.set(registryId, timer);
    this.#ring(registryId);
  }

  #ring(registryId: number): void {
    // Once the database is closed nobody waits any more.
    this.#look(registryId).catch(() => undefined);
  }

  async #look(registryId: number): Promise<void> {
    // On PostgreSQL a lower sequence may come to be seen later: there each write rings.
    if (this.#database.engine === 'sqlite') {
      const last = await lastSequence(this.#database.read, registryId);
      if (last <= (this.#rung.get(registryId) ?? 0)) return;
      this.#rung.set(registryId, last);
    }
    for (const listener of this.#listeners) listener(registryId);
  }

  close(): void {
    for (const timer of this.#soon.values()) clearTimeout(timer);
    this.#soon.clear();
  }
}

/** Transactions that write the log name their registry. */
function registryOf(input: unknown): number | undefined {
  if (typeof input !== 'object' || input === null || !('registryId' in input)) return undefined;
  return typeof input.registryId === 'number' ? input.registryId : undefined;
}
