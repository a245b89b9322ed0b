import { type TransactionDefinition, type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { addCandidates } from '../../platform/garbage/candidates.ts';
import { changeManifestBytes } from '../../platform/stored-bytes/index.ts';
import { restoreManifest } from './restore.ts';

const perBatch = 100;

export interface PurgeDue {
  readonly registryId: number;
  /** What was deleted before goes (ms). */
  readonly before: number;
  readonly now: number;
}

/** Takes some of what is due out of the bin for ever. True when there may be more. */
export const purgeDue = defineTransaction(
  'catalog.purge-due',
  async (tx, { registryId, before, now }: PurgeDue): Promise<boolean> => {
    const manifests = await tx
      .selectFrom('deleted_manifests')
      .select('id')
      .where('registry_id', '=', registryId)
      .where('deleted_at', '<', before)
      .orderBy('deleted_at')
      .limit(perBatch)
      .execute();
    for (const { id } of manifests) await purgeOne(tx, id, now);
    const tags = await tx
      .selectFrom('deleted_tags')
      .select('id')
      .where('registry_id', '=', registryId)
      .where('deleted_at', '<', before)
      .orderBy('deleted_at')
      .limit(perBatch)
      .execute();
    const ids = tags.map((row) => row.id);
    if (ids.length > 0) await tx.deleteFrom('deleted_tags').where('id', 'in', ids).execute();
    return manifests.length === perBatch || tags.length === perBatch;
  },
);

export interface PurgeManifest {
  readonly registryId: number;
  readonly repository: string;
  readonly digest: string;
  readonly now: number;
}

/** Takes one manifest with its tags out of the bin for ever. False when it is not there. */
export const purgeManifest = defineTransaction(
  'catalog.purge-manifest',
  async (tx, { registryId, repository, digest, now }: PurgeManifest): Promise<boolean> => {
    const kept = await tx
      .selectFrom('deleted_manifests')
      .select('id')
      .where('registry_id', '=', registryId)
      .where('repository', '=', repository)
      .where('digest', '=', digest)
      .executeTakeFirst();
    if (kept === undefined) return false;
    await purgeOne(tx, kept.id, now);
    await tx
      .deleteFrom('deleted_tags')
      .where('registry_id', '=', registryId)
      .where('repository', '=', repository)
      .where('digest', '=', digest)
      .execute();
    return true;
  },
);

/** Its blobs become candidates of collection, which looks whether anything else needs them. */
async function purgeOne(tx: WriteQueries, id: number, now: number): Promise<void> {
  const blobs = await tx.selectFrom('deleted_manifest_blobs').select('blob_id').where('deleted_id', '=', id).execute();
  const purged = await tx
    .deleteFrom('deleted_manifests')
    .where('id', '=', id)
    .returning(['registry_id', 'size_bytes'])
    .executeTakeFirst();
  if (purged !== undefined) await changeManifestBytes(tx, purged.registry_id, -purged.size_bytes);
  await addCandidates(
    tx,
    'blob',
    blobs.map((row) => String(row.blob_id)),
    now,
  );
}

export const binTransactions: readonly TransactionDefinition<never, unknown>[] = [restoreManifest, purgeDue, purgeManifest];
