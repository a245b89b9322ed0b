import type { Digest } from '@berth/oci';
import { parseDigest } from '@berth/oci';
import type { CatalogContext } from './catalog-context.ts';
import { listReferrers } from './list-referrers.ts';
import { findByDigest, findByTag } from './queries.ts';
import { type WantedManifest, openManifest, requireManifest } from './read-manifest.ts';

/** Names a manifest of a repository by tag or digest. */
export interface ManifestName {
  readonly registryId: number;
  readonly repository: string;
  readonly reference: string;
}

export interface ReadManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** @throws MANIFEST_UNKNOWN, NAME_UNKNOWN, REGISTRY_DISALLOWED_OPERATION, CONTENT_DAMAGED */
export async function readManifest(context: CatalogContext, wanted: WantedManifest): Promise<ReadManifest> {
  const found = await requireManifest(context, wanted);
  const { content, mediaType } = await openManifest(context, wanted.registryId, found);
  return { digest: parseDigest(found.digest), mediaType, bytes: content };
}

/** What a tag or digest names now, readable or not; undefined: nothing. */
export async function findManifest(context: CatalogContext, name: ManifestName): Promise<string | undefined> {
  const find = name.reference.includes(':') ? findByDigest : findByTag;
  return (await find(context.database.read, { ...name }))?.digest;
}

export interface ReferrersOf {
  readonly registryId: number;
  readonly repository: string;
  readonly subject: Digest;
}

const referrersPerPage = 1000;

/** Digests of the manifests that name a subject, a page at a time. */
export async function* referrersOf(context: CatalogContext, subject: ReferrersOf): AsyncGenerator<readonly Digest[], void> {
  let last: string | undefined;
  do {
    const page = await listReferrers(context, { ...subject, artifactType: undefined, last, limit: referrersPerPage });
    const { manifests } = JSON.parse(page.index) as { manifests: readonly { digest: Digest }[] };
    yield manifests.map((manifest) => manifest.digest);
    last = page.next;
  } while (last !== undefined);
}
