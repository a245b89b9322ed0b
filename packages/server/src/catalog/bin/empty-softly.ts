import { linkSubject } from '../../blobs/index.ts';
import { defineTransaction } from '../../platform/database/index.ts';
import { addCandidates } from '../../platform/garbage/candidates.ts';
import { changeManifestBytes } from '../../platform/stored-bytes/index.ts';
import { findDeletable } from '../../repositories/index.ts';
import { countIn } from '../count-in.ts';
import { requireNoLocks } from '../require-no-locks.ts';
import { type Place, keepManifest } from './put-into-bin.ts';

const perBatch = 100;

export interface EmptySoftly extends Place {
  readonly dueAt: number;
}

export interface Emptied {
  readonly manifests: readonly string[];
  readonly tags: readonly string[];
  readonly isMore: boolean;
}

/**
 * Puts some manifests of a repository that is being deleted into the bin, with their tags. Undefined when there is no such
 * repository. @throws REGISTRY_DISALLOWED_OPERATION when it is locked, or anything in it
 */
export const emptySoftly = defineTransaction(
  'catalog.empty-softly',
  async (tx, input: EmptySoftly): Promise<Emptied | undefined> => {
    const repositoryId = await findDeletable(tx, input.registryId, input.repository);
    if (repositoryId === undefined) return undefined;
    await requireNoLocks(tx, repositoryId, input.repository);
    const manifests = await tx
      .selectFrom('manifests')
      .select(['id', 'digest', 'size_bytes'])
      .where('repository_id', '=', repositoryId)
      .orderBy('id')
      .limit(perBatch)
      .forUpdate()
      .execute();
    const gone: string[] = [];
    for (const { id, size_bytes } of manifests) {
      await keepManifest(tx, input, id);
      const tags = await tx.deleteFrom('tags').where('manifest_id', '=', id).returning('name').execute();
      gone.push(...tags.map((tag) => tag.name));
      const used = await tx.selectFrom('manifest_blobs').select('blob_id').where('manifest_id', '=', id).execute();
      await tx.deleteFrom('manifests').where('id', '=', id).execute();
      await changeManifestBytes(tx, input.registryId, -size_bytes);
      await addCandidates(
        tx,
        'repository-blob',
        used.map((row) => linkSubject(repositoryId, row.blob_id)),
        input.dueAt,
      );
    }
    await countIn(tx, repositoryId, { manifests: -manifests.length, tags: -gone.length, now: input.now });
    return { manifests: manifests.map((row) => row.digest), tags: gone, isMore: manifests.length === perBatch };
  },
);
