import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type Operation, type Permission, defineOperation } from '@berth/api';
import { RegistryError } from '../errors/index.ts';
import { createLogger } from '../platform/logger.ts';
import type { Principal, RequestRecord } from '../tenancy/index.ts';
import { type HttpServer, createHttpServer } from './create-server.ts';
import type { Route } from './route.ts';
import { type HttpServerOptions, defaultHttpLimits } from './server-options.ts';
import { testRegistry } from '../tenancy/test-registry.ts';

/** A server with routes of the test's own, and what it recorded and logged. */
export interface TestServer {
  readonly server: HttpServer;
  readonly port: number;
  readonly url: string;
  readonly records: readonly RequestRecord[];
  logged(): string;
}

const admin: Principal = { kind: 'admin', id: 'admin:test', name: 'test', permits: () => true, couldPermit: () => true };
const nobody: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permits: () => false,
  couldPermit: () => false,
};
const registry = testRegistry();

/** Credentials: none is nobody, `Basic good` or `Bearer good` the admin, anything else refused. */
export async function startTestServer(
  t: TestContext,
  routes: readonly Route[],
  more: Partial<HttpServerOptions> = {},
): Promise<TestServer> {
  const records: RequestRecord[] = [];
  const lines: string[] = [];
  const server = createHttpServer({
    routes,
    authenticate: ({ authorization }) => {
      if (authorization === undefined) return nobody;
      if (authorization.endsWith(' good')) return admin;
      throw new RegistryError('UNAUTHORIZED');
    },
    authenticateManagement: ({ authorization }) => (authorization?.endsWith(' good') === true ? admin : nobody),
    challenge: (_registry, origin, needs, error) =>
      `Bearer realm="${origin}/oauth2/token",needs="${needs.map((need) => (need.type === 'repository' || need.type === 'registry' ? `${need.name}:${need.action}` : need.type)).join(' ')}"${error === undefined ? '' : `,error="${error}"`}`,
    resolveRegistry: () => registry,
    log: createLogger({
      level: 'trace',
      format: 'json',
      region: 'test',
      destination: { write: (line) => void lines.push(line) },
    }),
    limits: defaultHttpLimits,
    tls: undefined,
    publicAddress: undefined,
    trustedProxies: [],
    privateNetworks: [],
    onRequestEnd: (record) => void records.push(record),
    ...more,
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  return { server, port, url: `http://127.0.0.1:${port}`, records, logged: () => lines.join('') };
}

/** An operation that anybody may call, unless told otherwise. */
export function operationOf(
  method: Operation['method'],
  path: string,
  more: { readonly permission?: Permission; readonly body?: Operation['body'] } = {},
): Operation {
  const { permission = { kind: 'public', reason: 'a test' }, body } = more;
  return defineOperation({
    id: `${method.toLowerCase()}-test`,
    method,
    path,
    summary: '',
    source: '',
    permission,
    responses: {},
    errors: [],
    ...(body !== undefined && { body }),
  });
}

/** Writes bytes to the server and resolves with all that comes back until it closes the connection. */
export async function exchangeRaw(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(bytes);
  const answer = new PassThrough();
  // A reset ends what came before it.
  socket
    .on('data', (chunk) => answer.write(chunk))
    .on('error', () => undefined)
    .on('close', () => answer.end());
  return text(answer);
}
