import { issuerTransactions } from './access/federation/transactions.ts';
import { identityTransactions } from './access/identities/transactions.ts';
import { accessTransactions } from './access/transactions.ts';
import { auditTransactions } from './audit/transactions.ts';
import { armTransactions } from './arm/transactions.ts';
import { blobTransactions } from './blobs/transactions.ts';
import { catalogTransactions } from './catalog/transactions.ts';
import { changesTransactions } from './changes/transactions.ts';
import { damageTransactions } from './platform/damage/transactions.ts';
import type { TransactionDefinition } from './platform/database/database.ts';
import { collectorTransactions } from './platform/garbage/claim.ts';
import { storedBytesTransactions } from './platform/stored-bytes/fold-stored.ts';
import { keyTransactions } from './platform/keys/transactions.ts';
import { taskTransactions } from './tasks/transactions.ts';
import { usageTransactions } from './usage/transactions.ts';
import { registryTransactions } from './registries/transactions.ts';
import { resourceTransactions } from './resources/transactions.ts';
import { runsTransactions } from './runs/transactions.ts';
import { retentionTransactions } from './retention/transactions.ts';
import { sourceTriggerTransactions } from './triggers/sources/transactions.ts';
import { triggerTransactions } from './triggers/transactions.ts';
import { replicationTransactions } from './replication/transactions.ts';
import { webhookTransactions } from './webhooks/transactions.ts';

/**
 * Every transaction of the server, by name: SQLite's writer thread imports this list, because a function cannot travel
 * to a thread. Each feature exports its own list; spread it here.
 */
export const transactions: readonly TransactionDefinition<never, unknown>[] = [
  ...collectorTransactions,
  ...keyTransactions,
  ...storedBytesTransactions,
  ...damageTransactions,
  ...blobTransactions,
  ...catalogTransactions,
  ...changesTransactions,
  ...accessTransactions,
  ...armTransactions,
  ...usageTransactions,
  ...auditTransactions,
  ...identityTransactions,
  ...issuerTransactions,
  ...registryTransactions,
  ...resourceTransactions,
  ...retentionTransactions,
  ...taskTransactions,
  ...runsTransactions,
  ...sourceTriggerTransactions,
  ...triggerTransactions,
  ...webhookTransactions,
  ...replicationTransactions,
];
