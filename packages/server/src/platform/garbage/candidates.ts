import type { WriteQueries } from '../database/database.ts';
import type { GarbageRow } from '../database/tables.ts';

export type GarbageKind = GarbageRow['kind'];

const rowsPerStatement = 500;

/**
 * Asks the collector to look at a subject once `dueAt` (ms) has passed. Asking again only ever moves the time later,
 * so that a fresh mount or push of the same content protects it anew.
 */
export async function addCandidate(tx: WriteQueries, kind: GarbageKind, subject: string, dueAt: number): Promise<void> {
  await addCandidates(tx, kind, [subject], dueAt);
}

/** The same for many different subjects. In one order, so that two transactions with the same ones cannot wait for each other. */
export async function addCandidates(
  tx: WriteQueries,
  kind: GarbageKind,
  subjects: readonly string[],
  dueAt: number,
): Promise<void> {
  const ordered = subjects.toSorted();
  for (let start = 0; start < ordered.length; start += rowsPerStatement) {
    const rows = ordered.slice(start, start + rowsPerStatement);
    await tx
      .insertInto('garbage')
      .values(rows.map((subject) => ({ kind, subject, due_at: dueAt, attempts: 0 })))
      .onConflict((conflict) =>
        conflict.columns(['kind', 'subject']).doUpdateSet({ due_at: dueAt, attempts: 0 }).where('garbage.due_at', '<', dueAt),
      )
      .execute();
  }
}

/**
 * As `addCandidate`, for a subject that has just been used again: the time always moves, if only by a millisecond past
 * a claim, so that a collector that has claimed the subject already finds its claim gone and lets go.
 */
export async function renewCandidate(tx: WriteQueries, kind: GarbageKind, subject: string, dueAt: number): Promise<void> {
  await tx
    .insertInto('garbage')
    .values({ kind, subject, due_at: dueAt, attempts: 0 })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject']).doUpdateSet((eb) => ({
        due_at: eb
          .case()
          .when('garbage.due_at', '<', dueAt)
          .then(dueAt)
          .else(eb('garbage.due_at', '+', 1))
          .end(),
        attempts: 0,
      })),
    )
    .execute();
}
