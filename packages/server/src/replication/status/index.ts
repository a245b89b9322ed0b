export { type CopyProgress, type OwnStatusParts, ownStatus } from './own-status.ts';
export { RegionStatuses } from './region-statuses.ts';
export { measureFeeds } from './measure-feeds.ts';
