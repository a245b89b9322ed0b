import type { TransactionDefinition } from './platform/database/database.ts';
import { collectorTransactions } from './platform/garbage/claim.ts';

/**
 * Every transaction of the server, by name: SQLite's writer thread imports this list, because a function cannot travel
 * to a thread. Each feature exports its own list; spread it here.
 */
export const transactions: readonly TransactionDefinition<never, unknown>[] = [...collectorTransactions];
