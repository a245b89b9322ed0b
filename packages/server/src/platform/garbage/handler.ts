import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../database/database.ts';
import { lockRows } from '../database/lock-rows.ts';
import type { GarbageKind } from './candidates.ts';

/** Keeps a mistaken handler from spinning. */
const soonestLookMs = 1_000;

/** What a handler's transaction is asked about. */
export interface CollectionSubject {
  /** As `addCandidate` was given it. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** True when this handler's `erase` has just reported the subject as erased. Always false without `erase`. */
  readonly isErased: boolean;
}

/**
 * - `done`: forget the candidate. Either its rows are deleted, or it is in use (whoever drops the last use asks again).
 * - `again`: a bounded batch of its rows went and more are left: come back at once.
 * - `{ lookAgainAt }`: not yet (ms since the epoch; at the earliest a second from now).
 */
export type CollectionVerdict = 'done' | 'again' | { readonly lookAgainAt: number };

/** Names one claimed candidate: exactly what `claimCandidates` returned. */
export interface CollectionInput extends CollectionSubject {
  readonly candidateId: number;
  /** The due time the claim wrote. Another one in the row means that somebody asked for a later look. */
  readonly claimedUntil: number;
}

export type CollectionResult = 'collected' | 'again' | 'postponed' | 'moved';

/** A feature's knowledge of one kind of garbage. */
export interface GarbageHandler {
  readonly kind: GarbageKind;
  /** Made by `defineCollection`, and registered in `transactions.ts` like every other transaction. */
  readonly transaction: TransactionDefinition<CollectionInput, CollectionResult>;
  /**
   * For subjects that own something outside the database. Runs before the transaction, for a batch of subjects. It must
   * read that a subject's row already says "garbage" (a state that nothing leaves), erase what the row names, and
   * return the subjects that are erased now; then the transaction, told `isErased`, deletes the row. So a crash in
   * between leaves a row that is found again, never an object that nobody knows. Erasing twice must succeed.
   */
  readonly erase?: (subjects: readonly string[], signal: AbortSignal) => Promise<readonly string[]>;
}

/**
 * Makes the transaction of a handler. `check` runs with the candidate's row locked: it locks the subject's own row with
 * `lockRows` (which conflicts with pushes and mounts, architecture 6), looks for references, and deletes or spares it.
 * What it deletes may orphan other subjects: it adds those as candidates in the same transaction. Batches are bounded:
 * a handler with many rows deletes some hundreds and answers `again`.
 */
export function defineCollection(
  kind: GarbageKind,
  check: (tx: WriteQueries, subject: CollectionSubject) => Promise<CollectionVerdict>,
): TransactionDefinition<CollectionInput, CollectionResult> {
  return defineTransaction(`garbage.collect.${kind}`, async (tx, input: CollectionInput): Promise<CollectionResult> => {
    const candidate = await lockRows(
      tx.selectFrom('garbage').select('due_at').where('id', '=', input.candidateId).where('kind', '=', kind),
    ).executeTakeFirst();
    if (candidate?.due_at !== input.claimedUntil) return 'moved';
    const verdict = await check(tx, { subject: input.subject, now: input.now, isErased: input.isErased });
    if (verdict === 'done') {
      await tx.deleteFrom('garbage').where('id', '=', input.candidateId).execute();
      return 'collected';
    }
    const dueAt = verdict === 'again' ? input.now : Math.max(verdict.lookAgainAt, input.now + soonestLookMs);
    await tx.updateTable('garbage').set({ due_at: dueAt, attempts: 0 }).where('id', '=', input.candidateId).execute();
    return verdict === 'again' ? 'again' : 'postponed';
  });
}
