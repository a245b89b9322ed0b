export { type HttpServer, type InProcessAnswer, type InProcessRequest, createHttpServer } from './create-server.ts';
export { RateLimiter } from './rate-limit.ts';
export type { HttpLimits, HttpServerOptions } from './server-options.ts';
export { logRequest } from './request-log.ts';
export type { Reply, Route, RouteRequest } from './route.ts';
