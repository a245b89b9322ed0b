import type { TransactionDefinition } from '../platform/database/index.ts';
import { adoptRows } from './adopt-rows.ts';
import { registerTransactions } from './make-registers.ts';
import { pruneLog } from './prune-log.ts';
import { forgetRegisters } from './prune-registers.ts';

export const changesTransactions: readonly TransactionDefinition<never, unknown>[] = [
  ...registerTransactions,
  pruneLog,
  forgetRegisters,
  adoptRows,
];
