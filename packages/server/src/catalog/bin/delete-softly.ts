import type { FactRequest } from '@berth/api';
import type { CatalogContext } from '../catalog-context.ts';
import type { DeletedRepository } from '../transactions.ts';
import { emptySoftly } from './empty-softly.ts';

export interface SoftDeletion {
  readonly registryId: number;
  readonly repository: string;
  readonly namesLimit: number;
  readonly request?: FactRequest | undefined;
}

/**
 * Deletes a repository so that what was in it can be restored: its manifests go into the bin in batches, and with the last one
 * it disappears from the lists. Its row stays: pushes that are under way go on. Undefined when there is none.
 * @throws REGISTRY_DISALLOWED_OPERATION
 */
export async function deleteSoftly(context: CatalogContext, wanted: SoftDeletion): Promise<DeletedRepository | undefined> {
  const { clock, database, garbageDelayMs } = context;
  const { registryId, repository, namesLimit, request } = wanted;
  const [manifests, tags]: [string[], string[]] = [[], []];
  for (let isMore = true; isMore; ) {
    const now = clock.now();
    const emptied = await database.write(emptySoftly, { registryId, repository, request, now, dueAt: now + garbageDelayMs });
    if (emptied === undefined) return undefined;
    manifests.push(...emptied.manifests);
    tags.push(...emptied.tags);
    isMore = emptied.isMore;
  }
  return { manifests: manifests.slice(0, namesLimit), tags: tags.slice(0, namesLimit) };
}
