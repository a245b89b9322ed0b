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
