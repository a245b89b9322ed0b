import { type ReadQueries, type WriteQueries, defineTransaction } from '../database/database.ts';
import { lockFreeRows } from '../database/lock-rows.ts';
import type { GarbageKind } from './candidates.ts';

/** The index begins with the kind. */
const garbageKinds: readonly GarbageKind[] = ['repository', 'repository-blob', 'blob', 'part'];

export interface ClaimInput {
  readonly kinds: readonly GarbageKind[];
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long a claim keeps others away; doubles with every attempt up to `retryMaxMs`. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

export interface ClaimedCandidate {
  readonly id: number;
  readonly kind: GarbageKind;
  readonly subject: string;
  readonly attempts: number;
  /** The due time that this claim wrote. */
  readonly claimedUntil: number;
}

/**
 * Takes the candidates that have been due longest. Taking moves their due time on: a process that dies with a claim
 * loses nothing, another takes it later, and a failing subject comes back ever more slowly.
 */
export const claimCandidates = defineTransaction(
  'garbage.claim',
  async (tx, input: ClaimInput): Promise<readonly ClaimedCandidate[]> => {
    const claimed: ClaimedCandidate[] = [];
    // Each kind by itself: that is one range of the index, and a flood of one kind does not hold up the others.
    const limit = Math.ceil(input.limit / input.kinds.length);
    for (const kind of input.kinds) claimed.push(...(await claimKind(tx, kind, { ...input, limit })));
    return claimed;
  },
);

async function claimKind(tx: WriteQueries, kind: GarbageKind, input: ClaimInput): Promise<readonly ClaimedCandidate[]> {
  const due = await lockFreeRows(
    tx
      .selectFrom('garbage')
      .select(['id', 'subject', 'attempts'])
      .where('kind', '=', kind)
      .where('due_at', '<=', input.now)
      .orderBy('due_at')
      .orderBy('id')
      .limit(input.limit),
  ).execute();
  const claimed: ClaimedCandidate[] = [];
  for (const [attempts, rows] of Map.groupBy(due, (row) => row.attempts)) {
    const claimedUntil = input.now + Math.min(input.retryMs * 2 ** Math.min(attempts, 30), input.retryMaxMs);
    const ids = rows.map((row) => row.id);
    await tx
      .updateTable('garbage')
      .set({ due_at: claimedUntil, attempts: attempts + 1 })
      .where('id', 'in', ids)
      .execute();
    claimed.push(...rows.map((row) => ({ ...row, kind, claimedUntil })));
  }
  return claimed;
}

export interface Backlog {
  readonly due: number;
  /** Milliseconds since the epoch; null when nothing is due. */
  readonly oldestDueAt: number | null;
}

/** What waits for the collector now. Costs as much as is due, not as much as is stored. */
export async function countCandidates(db: ReadQueries, now: number): Promise<Backlog> {
  const row = await db
    .selectFrom('garbage')
    .select(({ fn }) => [fn.countAll<number>().as('due'), fn.min<number | null>('due_at').as('oldestDueAt')])
    .where('kind', 'in', garbageKinds)
    .where('due_at', '<=', now)
    .executeTakeFirstOrThrow();
  return row;
}

export const collectorTransactions = [claimCandidates] as const;
