import type { Route } from '../http/route.ts';
import type { GarbageHandler } from '../platform/garbage/handler.ts';
import { Recent } from '../platform/recent.ts';
import { acrRoutes } from './acr/routes.ts';
import type { CatalogContext } from './catalog-context.ts';
import { repositoryCollection } from './collect-repository.ts';
import { type ManifestForRegion, type ManifestsForRegion, manifestsForRegion } from './for-regions.ts';
import { LargeManifestGate } from './large-manifest-gate.ts';
import { ManifestCache } from './manifest-cache.ts';
import {
  type ManifestName,
  type ReadManifest,
  type ReferrersOf,
  findManifest,
  readManifest,
  referrersOf,
} from './for-features.ts';
import type { Digest } from '@berth/oci';
import type { ManifestFacts } from './model.ts';
import { type ManifestToStore, pushStored } from './push-manifest.ts';
import { ManifestParser } from './manifest-parser.ts';
import type { WantedManifest } from './read-manifest.ts';
import { expireDeleted } from './bin/expire-deleted.ts';
import { binRoutes } from './bin/routes.ts';
import { catalogRoutes } from './routes.ts';
import { deleteTag } from './transactions.ts';
import type { Registry } from '../tenancy/index.ts';

export type { CatalogElsewhere, ManifestElsewhere } from './catalog-context.ts';
export { catalogTransactions } from './transactions.ts';
export type { ManifestForRegion, ManifestsForRegion } from './for-regions.ts';
export * from './placing/index.ts';
export { removeManifest, removeTag } from './remove.ts';
export { lockTag, renewManifest } from './untagged.ts';
export { annotationsSeal, manifestSeal } from './model.ts';

/** A few hundred bytes each. */
const maxPlatforms = 10_000;

export interface CatalogOptions extends Omit<CatalogContext, 'cache' | 'parser' | 'gate' | 'platforms'> {
  /** Memory for opened manifests. */
  readonly manifestCacheBytes: number;
}

export interface Catalog {
  readonly routes: readonly Route[];
  readonly garbageHandlers: readonly GarbageHandler[];
  /** What a manifest needs, without delaying others. @throws OciError MANIFEST_INVALID */
  inspect(bytes: Uint8Array, mediaType: string | undefined): Promise<ManifestFacts>;
  /** @throws MANIFEST_UNKNOWN, NAME_UNKNOWN, REGISTRY_DISALLOWED_OPERATION, CONTENT_DAMAGED */
  read(wanted: WantedManifest): Promise<ReadManifest>;
  /** Manifests by digest, as other regions may have them, whatever locks say. */
  forRegion(wanted: ManifestsForRegion): Promise<ReadonlyMap<string, ManifestForRegion>>;
  /** What a tag or digest names now, readable or not; undefined: nothing. */
  find(name: ManifestName): Promise<string | undefined>;
  /** With all the checks of a push. @throws CONFLICT when a tag would move that must not, and what a push throws */
  push(manifest: ManifestToStore): Promise<void>;
  /** As a client would take a tag off; one that is not there is no error. @throws REGISTRY_DISALLOWED_OPERATION */
  untag(tag: { readonly registryId: number; readonly repository: string; readonly tag: string }): Promise<void>;
  /** Digests, a page at a time. */
  referrers(subject: ReferrersOf): AsyncIterable<readonly Digest[]>;
  /** To be called again and again: takes out of the bins what cannot be restored any more. */
  expireDeleted(registries: readonly Pick<Registry, 'id' | 'policies'>[], signal: AbortSignal): Promise<void>;
  /** Ends the thread that parses large manifests, if there is one; it does not hold the process up. */
  close(): Promise<void>;
}

/** Manifests, tags, referrers and repositories: the second half of the distribution protocol. */
export function createCatalog({ manifestCacheBytes, ...options }: CatalogOptions): Catalog {
  const parser = new ManifestParser();
  const context: CatalogContext = {
    ...options,
    cache: new ManifestCache(manifestCacheBytes),
    parser,
    gate: new LargeManifestGate(),
    platforms: new Recent({ maxEntries: maxPlatforms }),
  };
  return {
    routes: [...catalogRoutes(context), ...acrRoutes(context), ...binRoutes(context)],
    garbageHandlers: [{ kind: 'repository', transaction: repositoryCollection }],
    inspect: (bytes, mediaType) => parser.parse(bytes, mediaType),
    read: (wanted) => readManifest(context, wanted),
    forRegion: (wanted) => manifestsForRegion(context, wanted),
    find: (name) => findManifest(context, name),
    push: (manifest) => pushStored(context, manifest),
    untag: async (tag) => void (await context.database.write(deleteTag, { ...tag, now: context.clock.now() })),
    referrers: (subject) => referrersOf(context, subject),
    expireDeleted: (registries, signal) => expireDeleted(context, registries, signal),
    close: () => parser.close(),
  };
}
