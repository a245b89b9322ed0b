import type { FactRequest } from '@berth/api';
import type { LocalChange } from '../../changes/index.ts';
import { type WriteQueries, defineTransaction } from '../../platform/database/index.ts';
import { findDeletable } from '../../repositories/index.ts';
import { countIn } from '../count-in.ts';
import { logChanges } from '../log-changes.ts';
import { deletionOf } from '../log-content.ts';
import { requireNoLocks } from '../require-no-locks.ts';
import { takeLiveManifest } from '../take-live.ts';
import type { Place } from './put-into-bin.ts';

const perBatch = 100;

export interface EmptySoftly extends Place {
  readonly request?: FactRequest | undefined;
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
      .select(['id', 'digest', 'media_type', 'artifact_type', 'size_bytes'])
      .where('repository_id', '=', repositoryId)
      .orderBy('id')
      .limit(perBatch)
      .forUpdate()
      .execute();
    const gone: string[] = [];
    const changes: LocalChange[] = [];
    const place = { ...input, repositoryId, isSoft: true };
    for (const manifest of manifests) {
      const tags = await takeLiveManifest(tx, place, manifest);
      gone.push(...tags.map((tag) => tag.name));
      changes.push(...deletionOf(input.repository, { ...manifest, tags }, false));
    }
    const { isGone } = await countIn(tx, repositoryId, { manifests: -manifests.length, tags: -gone.length, now: input.now });
    // Only now is it sure that nothing comes in before the deletion is told (PostgreSQL).
    const isMore = await hasManifests(tx, repositoryId);
    if (!isMore) changes.push({ action: 'delete-repository', repository: input.repository });
    if (!isGone) await logChanges(tx, { ...input, changes });
    return { manifests: manifests.map((row) => row.digest), tags: gone, isMore };
  },
);

async function hasManifests(tx: WriteQueries, repositoryId: number): Promise<boolean> {
  const one = await tx.selectFrom('manifests').select('id').where('repository_id', '=', repositoryId).limit(1).executeTakeFirst();
  return one !== undefined;
}
