import { defineTransaction } from '../platform/database/database.ts';
import type { MachineKeyRow } from '../platform/database/index.ts';
import { keyTransactions } from '../platform/keys/transactions.ts';
import { dropRunKey, putRunKey } from '../platform/run-keys/index.ts';
import { registryTransactions } from '../registries/transactions.ts';
import { accessTransactions } from './transactions.ts';

/** What the tests of access need beside its own: a module, because SQLite's writer thread imports it. */

export const disableAdmin = defineTransaction('test.disable-admin', async (tx): Promise<void> => {
  await tx
    .updateTable('admin_users')
    .set(({ eb }) => ({ is_enabled: 0, generation: eb('generation', '+', 1) }))
    .execute();
});

/** As a claim does. */
export const startRun = defineTransaction('test.start-run', async (tx, key: MachineKeyRow): Promise<void> => {
  await putRunKey(tx, key);
});

export const endRun = defineTransaction(
  'test.end-run',
  async (tx, { registryId, runId }: { readonly registryId: number; readonly runId: string }) => dropRunKey(tx, registryId, runId),
);

export const transactions = [...keyTransactions, ...registryTransactions, ...accessTransactions, disableAdmin, startRun, endRun];
