export type { FeedContext } from './feed-context.ts';
export { FeedWaits } from './feed-waits.ts';
export { feedRoutes } from './routes.ts';
