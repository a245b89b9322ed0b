/** What regions share a key for: signing in to one another, and sealing what they hand over. */
export { type RegionKey, type RegionKeys, regionKeysOf } from './region-keys.ts';
export { type RegionTokenProblem, signRegionToken, verifyRegionToken } from './region-token.ts';
export { openFromRegion, sealForRegions } from './seal-for-regions.ts';
