import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { type AttributeFlags, findRepositoryId } from '../../repositories/index.ts';
import type { Verdict } from '../life.ts';

export interface QuarantineChange {
  readonly quarantine_state?: Verdict;
  readonly quarantine_details?: string;
}

export interface UpdateAttributes {
  readonly registryId: number;
  readonly repository: string;
  /** Whose attributes; the repository's own without. */
  readonly of: { readonly tag: string } | { readonly digest: string } | undefined;
  readonly flags: Partial<AttributeFlags>;
  /** Of a manifest only. */
  readonly quarantine?: QuarantineChange;
  readonly now: number;
}

export type UpdateOutcome = 'updated' | 'repository-unknown' | 'unknown';

/**
 * Sets some attributes and leaves the others. It is the one write that locks never refuse: otherwise nothing could be
 * unlocked.
 */
export const updateAttributes = defineTransaction(
  'catalog.update-attributes',
  async (tx, { registryId, repository, of, flags, quarantine, now }: UpdateAttributes): Promise<UpdateOutcome> => {
    const repositoryId = await findRepositoryId(tx, registryId, repository);
    if (repositoryId === undefined) return 'repository-unknown';
    const change = { ...flags, updated_at: now };
    const updated =
      of === undefined
        ? await tx.updateTable('repositories').set(change).where('id', '=', repositoryId).returning('id').execute()
        : await updateOne(tx, repositoryId, { of, quarantine }, change);
    return updated.length > 0 ? 'updated' : 'unknown';
  },
);

function updateOne(
  tx: WriteQueries,
  repositoryId: number,
  { of, quarantine }: { readonly of: NonNullable<UpdateAttributes['of']>; readonly quarantine: QuarantineChange | undefined },
  change: Partial<AttributeFlags> & { readonly updated_at: number },
): Promise<readonly unknown[]> {
  if ('tag' in of) {
    const query = tx.updateTable('tags').set(change).where('repository_id', '=', repositoryId).where('name', '=', of.tag);
    return query.returning('name').execute();
  }
  const query = tx
    .updateTable('manifests')
    .set({ ...change, ...quarantine })
    .where('repository_id', '=', repositoryId);
  return query.where('digest', '=', of.digest).returning('id').execute();
}

export const attributeTransactions: readonly TransactionDefinition<never, unknown>[] = [updateAttributes];
