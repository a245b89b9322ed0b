export { type HttpServer, createHttpServer } from './create-server.ts';
export { type HttpLimits, type RequestRecord, defaultHttpLimits } from './server-options.ts';
export { proxyList } from './caller.ts';
