export type { FeedContext } from './feed-context.ts';
export { FeedWaits } from './feed-waits.ts';
export { watchLog } from './watch-log.ts';
export { feedRoutes } from './routes.ts';
