import type { Route } from '../http/route.ts';
import type { GarbageHandler } from '../platform/garbage/handler.ts';
import type { CatalogContext } from './catalog-context.ts';
import { repositoryCollection } from './collect-repository.ts';
import { ManifestCache } from './manifest-cache.ts';
import { catalogRoutes } from './routes.ts';

export { catalogTransactions } from './transactions.ts';

export interface CatalogOptions extends Omit<CatalogContext, 'cache'> {
  /** Memory for opened manifests. */
  readonly manifestCacheBytes: number;
}

export interface Catalog {
  readonly routes: readonly Route[];
  readonly garbageHandlers: readonly GarbageHandler[];
}

/** Manifests, tags, referrers and repositories: the second half of the distribution protocol. */
export function createCatalog({ manifestCacheBytes, ...options }: CatalogOptions): Catalog {
  const context: CatalogContext = { ...options, cache: new ManifestCache(manifestCacheBytes) };
  return {
    routes: catalogRoutes(context),
    garbageHandlers: [{ kind: 'repository', transaction: repositoryCollection }],
  };
}
