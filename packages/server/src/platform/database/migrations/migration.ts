import type { Kysely } from 'kysely';

export type Engine = 'sqlite' | 'postgres';

/**
 * One step of the schema's history. Append-only: what a release has run is never edited, and a step imports nothing of
 * the server that may change later.
 */
export interface Migration {
  /** `NNNN-words`; the history is in this order. */
  readonly name: string;
  /** Runs inside the one transaction that migrates. */
  readonly up: (db: Kysely<unknown>, engine: Engine) => Promise<void>;
}
