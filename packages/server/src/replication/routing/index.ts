export { type RegionNetwork, parseRegionNetworks } from './nearest-region.ts';
export { type ReadToRoute, redirectOf } from './redirect-reads.ts';
export { RoutedRegions } from './routed-regions.ts';
export { routingRoutes } from './routes.ts';
