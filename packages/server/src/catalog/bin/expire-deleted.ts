import type { Registry } from '../../tenancy/index.ts';
import type { CatalogContext } from '../catalog-context.ts';
import { purgeDue } from './purge.ts';

const dayMs = 86_400_000;
/** Of registries whose policy was switched off while something lay in the bin. */
const daysWithoutPolicy = 7;

/** Empties the bins of what was deleted longer ago than their registries keep it now (acr-api 6.3). */
export async function expireDeleted(
  { clock, database }: Pick<CatalogContext, 'clock' | 'database'>,
  registries: readonly Pick<Registry, 'id' | 'policies'>[],
  signal: AbortSignal,
): Promise<void> {
  for (const { id, policies } of registries) {
    const now = clock.now();
    const before = now - (policies.softDeleteDays ?? daysWithoutPolicy) * dayMs;
    for (let isMore = true; isMore && !signal.aborted; ) isMore = await database.write(purgeDue, { registryId: id, before, now });
  }
}
