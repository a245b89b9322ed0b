import type { TransactionDefinition } from '../platform/database/index.ts';
import { agentTransactions } from './agents/transactions.ts';
import { forgetRuns } from './forget-runs.ts';
import { logTransactions } from './log/transactions.ts';
import { queueTransactions } from './queue/transactions.ts';
import { runTransactions } from './run-transactions.ts';
import { blockTransactions } from './sources/block-objects.ts';
import { objectTransactions } from './sources/objects.ts';

export const runsTransactions: readonly TransactionDefinition<never, unknown>[] = [
  ...queueTransactions,
  ...agentTransactions,
  ...runTransactions,
  ...logTransactions,
  ...objectTransactions,
  ...blockTransactions,
  forgetRuns,
];
