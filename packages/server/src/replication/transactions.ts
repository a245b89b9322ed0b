import type { TransactionDefinition } from '../platform/database/index.ts';
import { copyTransactions } from './copy/transactions.ts';
import { feedTransactions } from './follow/feed-transactions.ts';
import { replicaTransactions } from './replicas/transactions.ts';
import { mergeTransactions } from './merge/transactions.ts';

export const replicationTransactions: readonly TransactionDefinition<never, unknown>[] = [
  ...mergeTransactions,
  ...copyTransactions,
  ...feedTransactions,
  ...replicaTransactions,
];
