import type { FactRequest } from '@berth/api';
import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { type AttributeFlags, findRepositoryId } from '../../repositories/index.ts';
import type { Verdict } from '../life.ts';
import { logChanges } from '../log-changes.ts';
import { noteLetOut } from '../moved-tags.ts';

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
  readonly request?: FactRequest | undefined;
  readonly now: number;
}

export type UpdateOutcome = 'updated' | 'repository-unknown' | 'unknown';

/**
 * Sets some attributes and leaves the others. It is the one write that locks never refuse: otherwise nothing could be
 * unlocked.
 */
export const updateAttributes = defineTransaction(
  'catalog.update-attributes',
  async (tx, input: UpdateAttributes): Promise<UpdateOutcome> => {
    const { registryId, repository, of, flags, quarantine, now } = input;
    const repositoryId = await findRepositoryId(tx, registryId, repository);
    if (repositoryId === undefined) return 'repository-unknown';
    const change = { ...flags, updated_at: now };
    const updated =
      of === undefined
        ? await tx.updateTable('repositories').set(change).where('id', '=', repositoryId).returning('id').execute()
        : await updateOne(tx, repositoryId, { of, quarantine }, change);
    if (quarantine?.quarantine_state === 'Passed' && of !== undefined && 'digest' in of && updated.length > 0)
      await noteLetOut(tx, input, { repositoryId, digest: of.digest });
    if (updated.length === 0) return 'unknown';
    // Where the repository is deleted at the same time (PostgreSQL) it may count as said after that: then it holds for what is
    // pushed anew, in every region. A lock on the repository would make two that unlock and delete wait for each other.
    await logChanges(tx, { ...input, changes: [{ action: 'attributes', repository, of, values: { ...flags, ...quarantine } }] });
    return 'updated';
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
