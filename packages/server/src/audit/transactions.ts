import { type TransactionDefinition, defineTransaction } from '../platform/database/index.ts';
import type { AuditEvent } from './model.ts';

/** A statement holds so many rows at the most: each has a parameter for every column. */
const rowsPerStatement = 40;
const removedPerBatch = 1000;

export const recordEvents = defineTransaction('audit.record', async (tx, events: readonly AuditEvent[]): Promise<void> => {
  for (let start = 0; start < events.length; start += rowsPerStatement)
    await tx
      .insertInto('audit_events')
      .values(events.slice(start, start + rowsPerStatement))
      .execute();
});

/** True when there may be more. */
export const removeOldEvents = defineTransaction(
  'audit.remove-old',
  async (tx, { before }: { readonly before: number }): Promise<boolean> => {
    const old = await tx
      .selectFrom('audit_events')
      .select('id')
      .where('time', '<', before)
      .orderBy('time')
      .limit(removedPerBatch)
      .execute();
    const ids = old.map((row) => row.id);
    if (ids.length > 0) await tx.deleteFrom('audit_events').where('id', 'in', ids).execute();
    return ids.length === removedPerBatch;
  },
);

export const auditTransactions: readonly TransactionDefinition<never, unknown>[] = [recordEvents, removeOldEvents];
