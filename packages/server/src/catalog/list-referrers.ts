import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Digest, isMediaType, mediaTypes } from '@berth/oci';
import { SealBrokenError, openBytes } from '../platform/sealing/index.ts';
import { findRepositoryId } from '../repositories/index.ts';
import type { CatalogContext } from './catalog-context.ts';
import { annotationsSeal } from './model.ts';
import { type ReferrerRow, referrersAfter, sealedAnnotations } from './queries.ts';

/** Bytes of descriptors in one answer, roughly: what clients must take as a manifest, they take as a list (OCI end-12a). */
const maxPageBytes = 4 * 1024 * 1024;

/** A descriptor without its annotations, at the most. */
const descriptorBytes = 600;

/** Opening many seals takes time that others must not wait for (attack 45). */
const opensPerTurn = 100;

export interface ReferrersRequest {
  readonly registryId: number;
  readonly repository: string;
  readonly subject: Digest;
  /** Undefined: no filter. The empty text finds what has no artifact type. */
  readonly artifactType: string | undefined;
  /** The page begins after this digest. */
  readonly last: string | undefined;
  readonly limit: number;
}

export interface ReferrersAnswer {
  /** The image index, as JSON. */
  readonly index: string;
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

/**
 * The manifests that name a subject, whether the subject exists or not, ordered by digest (OCI end-12). It follows no
 * references, so cycles cannot hold it up (attack 6).
 */
export async function listReferrers(context: CatalogContext, request: ReferrersRequest): Promise<ReferrersAnswer> {
  const rows = await findReferrers(context, request);
  const shown: string[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, request.limit)) {
    bytes += descriptorBytes + (row.annotations_bytes ?? 0);
    if (shown.length > 0 && bytes > maxPageBytes) break;
    if (shown.length % opensPerTurn === opensPerTurn - 1) await nextTurn();
    shown.push(await descriptorOf(context, request.registryId, row));
  }
  const index = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[${shown.join(',')}]}`;
  return { index, next: shown.length < rows.length ? rows[shown.length - 1]?.digest : undefined };
}

/** One more than asked for, where there is one. */
async function findReferrers(context: CatalogContext, request: ReferrersRequest): Promise<readonly ReferrerRow[]> {
  const { subject, artifactType, limit } = request;
  // No manifest with such a type was ever taken.
  if (limit === 0 || (artifactType !== undefined && artifactType !== '' && !isMediaType(artifactType))) return [];
  const { read } = context.database;
  const repositoryId = await findRepositoryId(read, request.registryId, request.repository);
  if (repositoryId === undefined) return [];
  const filter = artifactType === '' ? null : artifactType;
  return referrersAfter(read, { repositoryId, subject, artifactType: filter, after: request.last ?? '', limit: limit + 1 });
}

/** As JSON. The annotations were written as JSON by us and sealed, so they stand in it as they are. */
async function descriptorOf(context: CatalogContext, registryId: number, row: ReferrerRow): Promise<string> {
  const descriptor = JSON.stringify({
    mediaType: row.media_type,
    digest: row.digest,
    size: row.size_bytes,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
  });
  if (row.annotations_bytes === null) return descriptor;
  const annotations = await openAnnotations(context, registryId, row);
  return annotations === undefined ? descriptor : `${descriptor.slice(0, -1)},"annotations":${annotations}}`;
}

/** Damaged annotations are left out: the rest of the list is good, and the manifest itself still tells them. */
async function openAnnotations(context: CatalogContext, registryId: number, row: ReferrerRow): Promise<string | undefined> {
  const sealed = await sealedAnnotations(context.database.read, row.id);
  if (sealed === null) return undefined;
  const key = context.keys.get(registryId, row.data_key_id);
  try {
    return openBytes(key, annotationsSeal(registryId, row.digest), sealed).toString('utf8');
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    context.log.error({ err: error, digest: row.digest }, 'stored annotations are damaged');
    return undefined;
  }
}
