import { defineTransaction } from '../platform/database/index.ts';
import { auditTransactions } from './transactions.ts';

/** Gives later events higher numbers, as if many had come between that were removed since. */
export const spreadEvents = defineTransaction(
  'test.spread-events',
  async (tx, { after, by }: { readonly after: number; readonly by: number }): Promise<void> => {
    await tx
      .updateTable('audit_events')
      .set((eb) => ({ id: eb('id', '+', by) }))
      .where('id', '>', after)
      .execute();
  },
);

export const transactions = [...auditTransactions, spreadEvents];
