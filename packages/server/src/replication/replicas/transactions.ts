import type { TransactionDefinition } from '../../platform/database/index.ts';
import { applySettings } from '../settings/apply-settings.ts';
import { beginReplication, confirmRemoval, endReplication } from './begin-replication.ts';
import { holdReplica } from './hold-replica.ts';
import { leaveReplica } from './leave-replica.ts';
import { putHomeKeys } from './region-knowledge.ts';

export const replicaTransactions: readonly TransactionDefinition<never, unknown>[] = [
  beginReplication,
  endReplication,
  confirmRemoval,
  holdReplica,
  leaveReplica,
  applySettings,
  putHomeKeys,
];
