import type { WriteQueries } from '../database/database.ts';
import type { GarbageRow } from '../database/tables.ts';

export type GarbageKind = GarbageRow['kind'];

/**
 * Asks the collector to look at a subject once `dueAt` (ms) has passed. Asking again only ever moves the time later,
 * so that a fresh mount or push of the same content protects it anew.
 */
export async function addCandidate(tx: WriteQueries, kind: GarbageKind, subject: string, dueAt: number): Promise<void> {
  await tx
    .insertInto('garbage')
    .values({ kind, subject, due_at: dueAt, attempts: 0 })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject']).doUpdateSet({ due_at: dueAt, attempts: 0 }).where('garbage.due_at', '<', dueAt),
    )
    .execute();
}
