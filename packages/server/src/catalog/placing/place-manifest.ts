import { RegistryError } from '../../errors/index.ts';
import type { WriteQueries } from '../../platform/database/index.ts';
import { ensureAnyRepository } from '../../repositories/index.ts';
import { type Place, forgetManifest } from '../bin/put-into-bin.ts';
import { countIn } from '../count-in.ts';
import { type SealedManifest, findNeeds, insertFound, lockManifest } from '../insert-manifest.ts';
import { renewManifest } from '../untagged.ts';

export interface ManifestToPlace extends SealedManifest, Place {
  readonly blobs: readonly string[];
  readonly optionalBlobs: readonly string[];
  /** When it was pushed where it was pushed (ms); `now` by default. */
  readonly pushedAt?: number;
}

/**
 * Makes a manifest that was pushed elsewhere one of this registry, whatever locks and quotas say. The caller has seen that its
 * blobs are linked; manifests of an index may be missing. False: it was there already.
 * @throws MANIFEST_BLOB_UNKNOWN when a blob went meanwhile
 */
export async function placeManifest(tx: WriteQueries, input: ManifestToPlace): Promise<boolean> {
  const { registryId, repository, digest, now, pushedAt = now } = input;
  const { id: repositoryId } = await ensureAnyRepository(tx, registryId, repository, now);
  const known = await lockManifest(tx, repositoryId, digest);
  const id = known === undefined ? await insertComplete(tx, repositoryId, { ...input, pushedAt }) : undefined;
  if (id === undefined) {
    if (known !== undefined) await renewManifest(tx, known.id, { isTagged: false, now });
    return false;
  }
  await forgetManifest(tx, { registryId, repository }, digest);
  await countIn(tx, repositoryId, { manifests: 1, tags: 0, now });
  return true;
}

async function insertComplete(
  tx: WriteQueries,
  repositoryId: number,
  input: ManifestToPlace & { readonly pushedAt: number },
): Promise<number | undefined> {
  const { linked, missingBlobs } = await findNeeds(tx, repositoryId, { ...input, children: [] });
  const missing = missingBlobs[0];
  if (missing === undefined) return insertFound(tx, repositoryId, input, [...linked.values()]);
  throw new RegistryError('MANIFEST_BLOB_UNKNOWN', {
    message: `the manifest ${input.digest} needs ${missing}, which went from ${input.repository} just now`,
    detail: { digest: missing },
  });
}
