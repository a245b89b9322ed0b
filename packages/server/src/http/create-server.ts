import { type RequestListener, type Server, createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { RegistryError } from '../errors/index.ts';
import { isManagement } from './authorize.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { listenAtAll } from './listen.ts';
import { foldRepositoryName } from './repository-path.ts';
import { ResourcePaths } from './resource-path.ts';
import { RequestHandler } from './request-handler.ts';
import type { Route } from './route.ts';
import type { HttpServerOptions } from './server-options.ts';

export interface InProcessRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Path and query. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface InProcessAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>;
  readonly body: Buffer;
}

export interface HttpServer {
  /** Resolves with the port, which the system chose if 0 was asked for. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Answers a request without a socket. */
  request(request: InProcessRequest): Promise<InProcessAnswer>;
  /** Takes another certificate for new connections. */
  replaceCertificate(tls: { readonly key: string; readonly cert: string }): void;
  /** Stops accepting, lets requests in work end, cuts them off after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** How often connections that have become idle are closed while the server stops. */
const closeIdleMs = 50;
const methods = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'] as const;

/** The framework ends here: features see `RouteRequest` and return `Reply`. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const handler = new RequestHandler(options);
  const app = createApp(options, handler);
  let servers: readonly Server[] = [];
  return {
    listen: async ({ host, port }) => {
      await app.ready();
      const found = await listenAtAll({ host, port, createServer: () => createNodeServer(options, app.routing) });
      servers = found.servers;
      return found.port;
    },
    request: async ({ method, url, headers = {}, body }) => {
      const answer = await app.inject({
        method,
        url,
        headers: { host: 'localhost', ...headers },
        ...(body !== undefined && { payload: body }),
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.rawPayload };
    },
    replaceCertificate: (tls) => {
      for (const server of servers)
        if ('setSecureContext' in server && typeof server.setSecureContext === 'function')
          server.setSecureContext({ ...tls, ...askForCertificates(options) });
    },
    close: async (graceMs) => {
      handler.stop();
      await Promise.all(servers.map((server) => closeServer(server, graceMs)));
      // A handler may still be busy though its client is gone; what it uses must not be closed under it.
      await handler.idle();
      await app.close();
    },
  };
}

function createApp({ routes, limits }: HttpServerOptions, handler: RequestHandler): FastifyInstance {
  const managed = routes.filter(({ operation }) => isManagement(operation));
  const resourcePaths = new ResourcePaths(managed.map(({ operation }) => operation.path));
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    rewriteUrl: (request) => resourcePaths.fold(foldRepositoryName(request.url ?? '/')),
    // A name may be as long as the headers: the grammar says what is wrong with it, not the router's 414 (style 9.1).
    routerOptions: { maxParamLength: limits.maxHeaderBytes * 3, ignoreTrailingSlash: true },
    return503OnClosing: false,
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      handler.refuse(
        request.raw,
        reply.raw,
        new RegistryError('REQUEST_INVALID', { message: 'the path of the request is not valid' }),
      );
    },
  });
  // Bodies are streams for the handlers; the framework must neither parse nor bound them (style 9.2).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((_error, request, reply) => {
    reply.hijack();
    handler.refuse(
      request.raw,
      reply.raw,
      new RegistryError('REQUEST_INVALID', { message: 'a header of the request is malformed' }),
    );
  });
  app.setNotFoundHandler((request, reply) => {
    reply.hijack();
    handler.refuse(request.raw, reply.raw, new RegistryError('NOT_FOUND'));
  });
  for (const [url, group] of byUrl(routes)) mountAll(app, url, { group, handler });
  return app;
}

/** Every method of one path: those with a route, HEAD wherever there is GET, and 405 for the others. */
function mountAll(
  app: FastifyInstance,
  url: string,
  { group, handler }: { readonly group: readonly Route[]; readonly handler: RequestHandler },
): void {
  const byMethod = new Map<string, Route>(group.map((route) => [route.operation.method, route]));
  const get = byMethod.get('GET');
  if (get !== undefined && !byMethod.has('HEAD')) byMethod.set('HEAD', get);
  const allowed = [...byMethod.keys()].toSorted().join(', ');
  for (const method of methods) {
    const route = byMethod.get(method);
    app.route({
      method,
      url,
      handler: (request, reply) => {
        reply.hijack();
        if (route !== undefined) return handler.handle(route, request.raw, reply.raw, request.params as Record<string, string>);
        handler.refuse(
          request.raw,
          reply.raw,
          new RegistryError('METHOD_NOT_ALLOWED', {
            message: `${method} is not supported here, only ${allowed}`,
            headers: { Allow: allowed },
          }),
        );
        return undefined;
      },
    });
  }
}

function byUrl(routes: readonly Route[]): Map<string, Route[]> {
  return Map.groupBy(routes, ({ operation }) => operation.path.replaceAll(/\{(\w+)\}/g, ':$1'));
}

/** Everybody is asked, because nobody has said yet who they are; only regions have to show one (`region-certificate.ts`). */
function askForCertificates({ regionAuthorities }: HttpServerOptions): TlsOptions {
  return regionAuthorities === undefined ? {} : { requestCert: true, rejectUnauthorized: false, ca: regionAuthorities };
}

function createNodeServer(options: HttpServerOptions, listener: RequestListener): Server {
  const { limits, tls } = options;
  const common = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(5000, limits.headersTimeoutMs),
    // A layer may take hours; what is too slow is found by its rate.
    requestTimeout: 0,
    insecureHTTPParser: false,
    // We refuse it ourselves, in the envelope that clients print.
    requireHostHeader: false,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createPlainServer(common, listener)
      : createTlsServer(
          {
            ...common,
            ...tls,
            ...askForCertificates(options),
            minVersion: 'TLSv1.2',
            handshakeTimeout: limits.headersTimeoutMs,
          },
          listener,
        );
  server.maxConnections = limits.maxConnections;
  // Headers are counted by us: Node would leave out the last ones without a word.
  server.maxHeadersCount = 0;
  server.on('clientError', answerBrokenRequest);
  return server;
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const idle = setInterval(() => server.closeIdleConnections(), closeIdleMs);
  const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await closed;
  } finally {
    clearInterval(idle);
    clearTimeout(cutOff);
  }
}
