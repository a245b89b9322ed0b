import { RegistryError } from '../errors/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { unseal } from './read-manifest.ts';

export interface ManifestsForRegion {
  readonly registryId: number;
  readonly repository: string;
  readonly digests: readonly string[];
  /** Larger ones come without their bytes. */
  readonly maxBytes: number;
  /** Of all together; when they are used up, the rest comes without its bytes. */
  readonly budgetBytes: number;
}

export interface ManifestForRegion {
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly bytes: Buffer | undefined;
  /** It has no bytes because others used up what all may have together. */
  readonly isLeftOut: boolean;
}

/**
 * Manifests of a repository by digest, as other regions may have them: they hold a registry as a whole, whatever its locks say.
 * One that is damaged here comes without its bytes.
 */
export async function manifestsForRegion(
  context: CatalogContext,
  { registryId, repository, digests, maxBytes, budgetBytes }: ManifestsForRegion,
): Promise<ReadonlyMap<string, ManifestForRegion>> {
  const found = new Map<string, ManifestForRegion>();
  if (digests.length === 0) return found;
  const rows = await context.database.read
    .selectFrom('repositories')
    .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type', 'manifests.size_bytes'])
    .where('repositories.registry_id', '=', registryId)
    .where('repositories.name', '=', repository)
    .where('repositories.deleted_at', 'is', null)
    .where('manifests.digest', 'in', digests)
    .execute();
  const byDigest = new Map(rows.map((row) => [row.digest, row]));
  let left = budgetBytes;
  for (const digest of digests) {
    const row = byDigest.get(digest);
    if (row === undefined) continue;
    const isSent = row.size_bytes <= maxBytes;
    const isLeftOut = isSent && row.size_bytes > left;
    const bytes = isSent && !isLeftOut ? await openFor(context, registryId, row) : undefined;
    left -= bytes?.length ?? 0;
    found.set(digest, { mediaType: row.media_type, sizeBytes: row.size_bytes, bytes, isLeftOut });
  }
  return found;
}

/** A snapshot passes all manifests: the cache is asked, and not filled. */
async function openFor(
  context: CatalogContext,
  registryId: number,
  row: Parameters<typeof unseal>[2],
): Promise<Buffer | undefined> {
  try {
    return context.cache.get(registryId, row.digest)?.content ?? (await unseal(context, registryId, row));
  } catch (error) {
    const isExpected =
      error instanceof RegistryError && (error.error === 'CONTENT_DAMAGED' || error.error === 'MANIFEST_UNKNOWN');
    if (!isExpected) throw error;
    return undefined;
  }
}
