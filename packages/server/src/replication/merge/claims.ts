import { findRegister, isThere, never } from '../../changes/index.ts';
import { type TransactionDefinition, type WriteQueries, defineTransaction, lockFreeRows } from '../../platform/database/index.ts';

interface Claim {
  readonly registryId: number;
  readonly limit: number;
  /** What was told last, rather than what waits longest. */
  readonly isNewestFirst: boolean;
  readonly now: number;
  readonly claimedUntil: number;
}

/** Takes manifests whose turn has come; those that another process holds are passed over. */
export const claimRows = defineTransaction('replication.claim-pending', async (tx, input: Claim) => {
  const due = await lockFreeRows(
    tx
      .selectFrom('pending_manifests')
      .select(['id', 'repository', 'digest', 'media_type', 'size_bytes', 'source', 'attempts'])
      .select(({ exists, selectFrom }) =>
        exists(
          selectFrom('repositories')
            .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
            .select('manifests.id')
            .whereRef('repositories.registry_id', '=', 'pending_manifests.registry_id')
            .whereRef('repositories.name', '=', 'pending_manifests.repository')
            .where('repositories.deleted_at', 'is', null)
            .whereRef('manifests.digest', '=', 'pending_manifests.digest'),
        ).as('is_live'),
      )
      .where('registry_id', '=', input.registryId)
      .where('next_at', '<=', input.now)
      .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', input.now)]))
      .orderBy('next_at', input.isNewestFirst ? 'desc' : 'asc')
      .orderBy('id', input.isNewestFirst ? 'desc' : 'asc')
      .limit(input.limit),
  ).execute();
  if (due.length === 0) return due;
  const gone = await goneOf(tx, input.registryId, due);
  if (gone.size > 0)
    await tx
      .deleteFrom('pending_manifests')
      .where('id', 'in', [...gone])
      .execute();
  const claimed = due.filter(({ id }) => !gone.has(id));
  const ids = claimed.map(({ id }) => id);
  if (ids.length > 0)
    await tx.updateTable('pending_manifests').set({ claimed_until: input.claimedUntil }).where('id', 'in', ids).execute();
  return claimed;
});

/** Those that were deleted here since, by somebody who need not know of what is on its way. */
async function goneOf(
  tx: WriteQueries,
  registryId: number,
  due: readonly { readonly id: number; readonly repository: string; readonly digest: string }[],
): Promise<ReadonlySet<number>> {
  const gone = new Set<number>();
  for (const [repository, rows] of Map.groupBy(due, (row) => row.repository)) {
    const deleted = await findRegister(tx, { registryId, repository, kind: 'repository', name: '' });
    for (const { id, digest } of rows) {
      const register = await findRegister(tx, { registryId, repository, kind: 'manifest', name: digest });
      if (register === undefined || !isThere(register, deleted?.deleted ?? never)) gone.add(id);
    }
  }
  return gone;
}

export const renewClaimRows = defineTransaction(
  'replication.renew-claims',
  async (tx, input: { readonly ids: readonly number[]; readonly claimedUntil: number }): Promise<void> => {
    if (input.ids.length === 0) return;
    await tx.updateTable('pending_manifests').set({ claimed_until: input.claimedUntil }).where('id', 'in', input.ids).execute();
  },
);

export const giveBackRow = defineTransaction(
  'replication.give-back-claim',
  async (tx, input: { readonly id: number }): Promise<void> => {
    await tx.updateTable('pending_manifests').set({ claimed_until: null }).where('id', '=', input.id).execute();
  },
);

/** There is no other process: whoever had claimed something is dead. */
export const releaseClaims = defineTransaction('replication.release-claims', async (tx): Promise<void> => {
  await tx.updateTable('pending_manifests').set({ claimed_until: null }).where('claimed_until', 'is not', null).execute();
});

interface Failure {
  readonly id: number;
  /** Null: nothing failed; it only has to wait. */
  readonly problem: string | null;
  readonly nextAt: number;
}

export const failRow = defineTransaction('replication.fail-pending', async (tx, input: Failure): Promise<void> => {
  await tx
    .updateTable('pending_manifests')
    .set((eb) => ({
      attempts: eb('attempts', '+', input.problem === null ? 0 : 1),
      next_at: input.nextAt,
      claimed_until: null,
      problem: input.problem,
    }))
    .where('id', '=', input.id)
    .execute();
});

export const dropNeed = defineTransaction(
  'replication.drop-need',
  async (tx, input: { readonly id: number; readonly digest: string }): Promise<void> => {
    await tx.deleteFrom('pending_blobs').where('pending_id', '=', input.id).where('digest', '=', input.digest).execute();
  },
);

export const claimTransactions: readonly TransactionDefinition<never, unknown>[] = [
  claimRows,
  renewClaimRows,
  giveBackRow,
  releaseClaims,
  failRow,
  dropNeed,
];
