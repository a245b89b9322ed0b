import { type TransactionDefinition, defineTransaction } from '../../platform/database/index.ts';
import type { Unsaved } from './progress.ts';

export interface Copy {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly uploadId: string;
}

/** Remembers into which upload a blob is copied; an earlier one is forgotten, and expires. */
export const keepCopy = defineTransaction('replication.keep-copy', async (tx, copy: Copy): Promise<void> => {
  const { registryId, repository, digest, uploadId } = copy;
  await tx
    .insertInto('region_copies')
    .values({ registry_id: registryId, repository, digest, upload_id: uploadId })
    .onConflict((conflict) => conflict.columns(['registry_id', 'repository', 'digest']).doUpdateSet({ upload_id: uploadId }))
    .execute();
});

/** Forgets an upload that has ended, unless another one took its place. */
export const dropCopy = defineTransaction('replication.drop-copy', async (tx, copy: Copy): Promise<void> => {
  await tx
    .deleteFrom('region_copies')
    .where('registry_id', '=', copy.registryId)
    .where('repository', '=', copy.repository)
    .where('digest', '=', copy.digest)
    .where('upload_id', '=', copy.uploadId)
    .execute();
});

/** Adds what was copied, and what was refused, to what is known of each region. */
export const countCopies = defineTransaction(
  'replication.count-copies',
  async (tx, counts: readonly Unsaved[]): Promise<void> => {
    for (const { registryId, region, copiedBytes, damagedAnswers } of counts) {
      await tx
        .updateTable('region_feeds')
        .set((eb) => ({
          copied_bytes: eb('copied_bytes', '+', copiedBytes),
          damaged_answers: eb('damaged_answers', '+', damagedAnswers),
        }))
        .where('registry_id', '=', registryId)
        .where('region', '=', region)
        .execute();
    }
  },
);

export interface ComesUp {
  /** The region that answers again. */
  readonly region: string;
  readonly now: number;
}

/** What waits for a region that was away need not wait for its next attempt. */
export const hurryPending = defineTransaction(
  'replication.hurry-pending',
  async (tx, { region, now }: ComesUp): Promise<void> => {
    await tx
      .updateTable('pending_manifests')
      .set({ next_at: now, attempts: 0 })
      .where('source', '=', region)
      .where('next_at', '>', now)
      .execute();
  },
);

export const copyTransactions: readonly TransactionDefinition<never, unknown>[] = [keepCopy, dropCopy, countCopies, hurryPending];
