import type { Server } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { RegistryError } from '../errors/index.ts';
import { proxyList } from './caller.ts';
import { foldRepositoryName } from './repository-path.ts';
import { RequestHandler } from './request-handler.ts';
import type { Route } from './route.ts';
import type { HttpServerOptions } from './server-options.ts';

export interface HttpServer {
  /** Resolves with the port, which the system chose if 0 was asked for. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Stops accepting, lets requests in work end, cuts them off after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The framework ends here: features see `RouteRequest` and return `Reply`. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const handler = new RequestHandler(options, proxyList(options.trustedProxies));
  const app = createApp(options);
  // Bodies are streams for the handlers; the framework must neither parse nor bound them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  for (const route of options.routes) mount(app, route, handler);
  app.setNotFoundHandler((request, reply) => {
    reply.hijack();
    const allowed = allowedMethods(options.routes, request.raw.url ?? '');
    const error =
      allowed.length > 0
        ? new RegistryError('METHOD_NOT_ALLOWED', { message: `${request.method} is not supported here`, headers: { Allow: allowed.join(', ') } })
        : new RegistryError('NOT_FOUND');
    handler.refuse(request.raw, reply.raw, error);
  });
  const server: Server = app.server;
  server.maxConnections = options.limits.maxConnections;
  return {
    listen: async ({ host, port }) => {
      await app.listen({ host, port });
      const address = server.address();
      return address === null || typeof address === 'string' ? port : address.port;
    },
    close: async (graceMs) => {
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
      try {
        await app.close();
      } finally {
        clearTimeout(cutOff);
      }
    },
  };
}

function createApp({ limits, tls }: HttpServerOptions): FastifyInstance {
  const common = {
    exposeHeadRoutes: false,
    connectionTimeout: limits.idleTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false,
    rewriteUrl: (request: { readonly url?: string | undefined }) => foldRepositoryName(request.url ?? '/'),
    // Long repository names with encoded slashes (the default of 100 answers 414).
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: refusePath,
  };
  // A whole request may take hours: progress is bounded instead (slow-body.ts).
  const raw = { maxHeaderSize: limits.maxHeaderBytes, headersTimeout: limits.headersTimeoutMs, requestTimeout: 0 };
  if (tls === undefined) return fastify({ ...common, http: raw });
  const app: unknown = fastify({ ...common, https: { ...raw, ...tls, minVersion: 'TLSv1.2' } });
  // The type differs in its server alone, of which only what both share is used.
  return app as FastifyInstance;
}

/** A path that cannot be decoded never reaches a route. */
function refusePath(_error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  const body = JSON.stringify({ errors: [{ code: 'NAME_INVALID', message: 'the path of the request cannot be decoded' }] });
  void reply.code(400).header('content-type', 'application/json; charset=utf-8').send(body);
}

function mount(app: FastifyInstance, route: Route, handler: RequestHandler): void {
  const { operation } = route;
  app.route({
    method: operation.method,
    url: pathShape(operation.path),
    handler: (request, reply) => {
      reply.hijack();
      return handler.handle(route, request.raw, reply.raw, request.params as Record<string, string>);
    },
  });
}

function pathShape(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Methods that some route answers at a path that no route answers with the method asked for. */
function allowedMethods(routes: readonly Route[], url: string): string[] {
  const segments = (url.split('?', 1)[0] ?? '').split('/');
  const fits = (path: string): boolean => {
    const wanted = path.split('/');
    return wanted.length === segments.length && wanted.every((each, index) => each.startsWith('{') || each === segments[index]);
  };
  return [...new Set(routes.filter(({ operation }) => fits(operation.path)).map(({ operation }) => operation.method))];
}
