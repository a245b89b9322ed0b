import type { TransactionDefinition } from '../platform/database/index.ts';
import { takeMovedTags } from './base-images/moved-tag-transactions.ts';
import { endLook, takeDueLooks } from './base-images/poll-transactions.ts';
import { forgetTask, noteDigest, recordBaseImages, settleImages, takeUndecided } from './base-images/transactions.ts';
import { expireDecisions, recordDecisions } from './decisions/transactions.ts';
import { endTick, keepTimers, takeDueTimer } from './timers/transactions.ts';

export const triggerTransactions: readonly TransactionDefinition<never, unknown>[] = [
  takeMovedTags,
  takeUndecided,
  settleImages,
  recordBaseImages,
  noteDigest,
  forgetTask,
  takeDueLooks,
  endLook,
  keepTimers,
  takeDueTimer,
  endTick,
  recordDecisions,
  expireDecisions,
];
