import type { TransactionDefinition } from '../platform/database/index.ts';
import { deleteSecret, putSecret } from './secrets/transactions.ts';

export const taskTransactions: readonly TransactionDefinition<never, unknown>[] = [putSecret, deleteSecret];
