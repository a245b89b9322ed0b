import { type Digest, isDigest, mediaTypes } from '@berth/oci';
import { openBytes } from '../platform/sealing/index.ts';
import { findRepositoryId } from '../repositories/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { annotationsSeal } from './model.ts';
import { type ReferrerRow, referrerId, referrersAfter } from './queries.ts';

/** Rough bytes of descriptors in one answer: manifests of this size are what clients must take anyway. */
const maxPageBytes = 4 * 1024 * 1024;
const descriptorBytes = 400;

export interface ReferrersPage {
  readonly registryId: number;
  readonly repository: string;
  readonly subject: Digest;
  readonly artifactType: string | undefined;
  /** A digest of the list; the page begins after it. */
  readonly last: string | undefined;
  readonly limit: number;
}

export interface ReferrersResult {
  readonly index: { readonly schemaVersion: 2; readonly mediaType: string; readonly manifests: readonly object[] };
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

/** The manifests that name a subject, whether the subject exists or not (OCI end-12). */
export async function listReferrers(context: CatalogContext, page: ReferrersPage): Promise<ReferrersResult> {
  const { read } = context.database;
  const repositoryId = await findRepositoryId(read, page.registryId, page.repository);
  if (repositoryId === undefined) return { index: indexOf([]), next: undefined };
  const afterId = page.last !== undefined && isDigest(page.last) ? ((await referrerId(read, repositoryId, page.last)) ?? 0) : 0;
  const rows = await referrersAfter(read, { repositoryId, subject: page.subject, artifactType: page.artifactType, afterId, limit: page.limit + 1 });
  const shown: object[] = [];
  let bytes = 0;
  let lastShown: ReferrerRow | undefined;
  for (const row of rows.slice(0, page.limit)) {
    bytes += descriptorBytes + (row.sealed_annotations?.length ?? 0);
    if (lastShown !== undefined && bytes > maxPageBytes) break;
    shown.push(descriptorOf(context, page.registryId, row));
    lastShown = row;
  }
  return { index: indexOf(shown), next: shown.length < rows.length ? lastShown?.digest : undefined };
}

function descriptorOf(context: CatalogContext, registryId: number, row: ReferrerRow): object {
  const annotations = row.sealed_annotations && openBytes(context.keys.get(registryId, row.data_key_id), annotationsSeal(registryId, row.digest), row.sealed_annotations);
  return {
    mediaType: row.media_type,
    digest: row.digest,
    size: row.size_bytes,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
    ...(annotations !== null && { annotations: JSON.parse(annotations.toString()) as unknown }),
  };
}

function indexOf(manifests: readonly object[]): ReferrersResult['index'] {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}
