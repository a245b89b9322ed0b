import type { TransactionDefinition } from '../../platform/database/index.ts';
import { claimTransactions } from './claims.ts';
import { completeManifest } from './complete-manifest.ts';
import { mergeFacts } from './merge-facts.ts';
import { removeAwaited } from './remove-awaited.ts';

export const mergeTransactions: readonly TransactionDefinition<never, unknown>[] = [
  mergeFacts,
  completeManifest,
  removeAwaited,
  ...claimTransactions,
];
