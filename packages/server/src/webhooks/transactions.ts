import type { TransactionDefinition } from '../platform/database/index.ts';
import { deliverTransactions } from './deliver/transactions.ts';
import { eventTransactions } from './events/transactions.ts';
import { followTransactions } from './follow/transactions.ts';

export const webhookTransactions: readonly TransactionDefinition<never, unknown>[] = [
  ...followTransactions,
  ...deliverTransactions,
  ...eventTransactions,
];
