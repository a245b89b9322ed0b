import type { Route } from '../http/route.ts';
import type { GarbageHandler } from '../platform/garbage/handler.ts';
import { Recent } from '../platform/recent.ts';
import { acrRoutes } from './acr/routes.ts';
import type { CatalogContext } from './catalog-context.ts';
import { repositoryCollection } from './collect-repository.ts';
import { LargeManifestGate } from './large-manifest-gate.ts';
import { ManifestCache } from './manifest-cache.ts';
import { ManifestParser } from './manifest-parser.ts';
import { catalogRoutes } from './routes.ts';

/** A few hundred bytes each. */
const maxPlatforms = 10_000;

export interface CatalogOptions extends Omit<CatalogContext, 'cache' | 'parser' | 'gate' | 'platforms'> {
  /** Memory for opened manifests. */
  readonly manifestCacheBytes: number;
}

export interface Catalog {
  readonly routes: readonly Route[];
  readonly garbageHandlers: readonly GarbageHandler[];
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
    routes: [...catalogRoutes(context), ...acrRoutes(context)],
    garbageHandlers: [{ kind: 'repository', transaction: repositoryCollection }],
    close: () => parser.close(),
  };
}
