import { blobTransactions } from '../blobs/transactions.ts';
import { catalogTransactions } from '../catalog/transactions.ts';
import { defineTransaction } from '../platform/database/database.ts';
import { keyTransactions } from '../platform/keys/transactions.ts';
import { foldStored } from '../platform/stored-bytes/index.ts';
import { registryTransactions } from '../registries/transactions.ts';
import { resourceTransactions } from '../resources/transactions.ts';
import { runsTransactions } from '../runs/transactions.ts';
import { taskTransactions } from '../tasks/transactions.ts';
import { sourceTriggerTransactions } from './sources/transactions.ts';
import { triggerTransactions } from './transactions.ts';

/** What the tests of triggers need: a module, because SQLite's writer thread imports it. */

export interface FinishedRun {
  readonly rowId: number;
  readonly status: 'Succeeded' | 'Failed' | 'Running';
  readonly dependencies: string;
  readonly images: string;
  readonly now: number;
}

/** Ends a run as an agent's report would, of which this process hears nothing. */
export const finishRun = defineTransaction('test.finish-run', async (tx, input: FinishedRun): Promise<void> => {
  const { rowId, status, dependencies, images, now } = input;
  const finished_at = status === 'Running' ? null : now;
  await tx.updateTable('runs').set({ status, dependencies, images, finished_at }).where('id', '=', rowId).execute();
  const { registry_id } = await tx.selectFrom('runs').select('registry_id').where('id', '=', rowId).executeTakeFirstOrThrow();
  for (const { repository, tag, digest } of JSON.parse(images) as { repository: string; tag: string; digest: string }[])
    await tx.insertInto('run_images').values({ run_row_id: rowId, registry_id, repository, tag, digest }).execute();
});

/** Many rows that it would take runs long to record. */
export const addDependants = defineTransaction(
  'test.add-dependants',
  async (
    tx,
    input: { registryId: number; tasks: readonly string[]; server: string; repository: string; digest: string },
  ): Promise<void> => {
    for (const task of input.tasks)
      await tx
        .insertInto('task_base_images')
        .values({
          registry_id: input.registryId,
          task,
          server: input.server,
          repository: input.repository,
          tag: 'latest',
          role: 'runtime',
          is_watched: 1,
          recorded_digest: input.digest,
          current_digest: null,
          current_run: null,
          moved_id: null,
          handled_digest: null,
          decide_at: null,
          claimed_at: null,
          paused_until: null,
          checked_at: null,
          next_check_at: null,
          failures: 0,
          problem: null,
        })
        .execute();
  },
);

export const transactions = [
  ...keyTransactions,
  ...registryTransactions,
  ...resourceTransactions,
  ...blobTransactions,
  ...catalogTransactions,
  ...runsTransactions,
  ...taskTransactions,
  ...sourceTriggerTransactions,
  ...triggerTransactions,
  foldStored,
  finishRun,
  addDependants,
];
