import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import type { Need } from '@berth/api';
import { RegistryError, asRegistryError, renderAsOci } from '../errors/index.ts';
import type { Principal, Registry } from '../tenancy/index.ts';
import { isPermitted, needsOf } from './authorize.ts';
import { type Caller, type CallerRules, callerOf } from './caller.ts';
import { parseRepositoryName } from '@berth/oci';
import type { Route, RouteRequest } from './route.ts';
import { sendReply } from './send-reply.ts';
import type { HttpServerOptions } from './server-options.ts';
import { watchSlowBody } from './slow-body.ts';
import { drainUnread } from './unread-body.ts';

const requestIdPattern = /^[A-Za-z0-9-]{8,64}$/;
const emptyQuery = new URLSearchParams();

/** A request on its way: what is known of it so far. */
interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly began: number;
  operation: string;
  caller: Caller | undefined;
  registry: Registry | undefined;
  principal: Principal | undefined;
  needs: readonly Need[];
}

/** The one way of every request: who calls, which registry, who is it, may they, do it, answer, log. */
export class RequestHandler {
  readonly #options: HttpServerOptions;
  readonly #rules: CallerRules;
  #inWork = 0;

  constructor(options: HttpServerOptions, trustedProxies: BlockList | undefined) {
    this.#options = options;
    this.#rules = { isTls: options.tls !== undefined, publicHost: options.publicHost, trustedProxies };
  }

  async handle(route: Route, request: IncomingMessage, response: ServerResponse, params: Readonly<Record<string, string>>): Promise<void> {
    const passage = this.#begin(request, response, route.operation.id);
    this.#inWork += 1;
    const stopWatching = route.operation.body === undefined ? undefined : watchSlowBody(request, this.#options.limits.slowBody);
    try {
      if (this.#inWork > this.#options.limits.maxRequests) {
        throw new RegistryError('UNAVAILABLE', { message: 'too many requests are in work', headers: { 'Retry-After': '1' } });
      }
      await this.#serve(route, passage, params);
    } catch (error) {
      this.#answerError(passage, error);
    } finally {
      stopWatching?.();
      this.#inWork -= 1;
      this.#end(passage);
    }
  }

  /** Answers a request that no route takes. */
  refuse(request: IncomingMessage, response: ServerResponse, error: RegistryError): void {
    const passage = this.#begin(request, response, 'none');
    this.#answerError(passage, error);
    this.#end(passage);
  }

  #begin(request: IncomingMessage, response: ServerResponse, operation: string): Passage {
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
    return { request, response, requestId, began: performance.now(), operation, caller: undefined, registry: undefined, principal: undefined, needs: [] };
  }

  async #serve(route: Route, passage: Passage, params: Readonly<Record<string, string>>): Promise<void> {
    const { request, response } = passage;
    const { operation } = route;
    const caller = callerOf(request, this.#rules);
    passage.caller = caller;
    const registry = this.#options.resolveRegistry(caller.host);
    passage.registry = registry;
    if (params['name'] !== undefined) parseRepositoryName(params['name']);
    const query = queryOf(request);
    const needs = needsOf(operation, params['name']);
    const sourceNeeds = mountNeeds(operation.id, query);
    passage.needs = [...needs, ...sourceNeeds];
    const headers = request.headers as Readonly<Record<string, string | undefined>>;
    const isOpen = operation.permission.kind === 'public';
    const signedIn = isOpen ? anonymousOf(registry) : this.#options.authenticate(headers, caller.address, registry);
    const principal = signedIn instanceof Promise ? await signedIn : signedIn;
    passage.principal = principal;
    if (!isPermitted(principal, operation, needs) || isWorthAsking(principal, sourceNeeds)) {
      throw new RegistryError('UNAUTHORIZED', { detail: missing(passage.needs) });
    }
    const abort = new AbortController();
    response.once('close', () => abort.abort());
    const routeRequest: RouteRequest = {
      id: passage.requestId,
      registry,
      principal,
      params,
      query,
      headers,
      origin: caller.origin,
      clientAddress: caller.address,
      contentLength: headers['content-length'] === undefined ? undefined : Number(headers['content-length']),
      body: request,
      signal: abort.signal,
      log: this.#options.log,
    };
    const reply = await route.handle(routeRequest);
    if (response.destroyed) return;
    await sendReply(response, reply, baseHeaders(passage), operation.method === 'HEAD');
    drainUnread(request, response);
  }

  #answerError(passage: Passage, thrown: unknown): void {
    const { request, response, requestId } = passage;
    const error = asRegistryError(thrown);
    if (error.error === 'INTERNAL' && !isGone(passage)) this.#options.log.error({ err: thrown, requestId, operation: passage.operation }, 'a request failed unexpectedly');
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const answer = renderAsOci(error, requestId);
    const headers: Record<string, string | number> = { ...baseHeaders(passage), ...answer.headers, 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(answer.body) };
    if (answer.status === 401 && passage.registry !== undefined && passage.caller !== undefined && headers['WWW-Authenticate'] === undefined) {
      headers['WWW-Authenticate'] = this.#options.challenge(passage.registry, passage.caller.origin, passage.needs, challengeError(passage));
    }
    if (!request.complete) headers['Connection'] = 'close';
    response.writeHead(answer.status, headers);
    if (request.method === 'HEAD') response.end();
    else response.end(answer.body);
    drainUnread(request, response);
  }

  #end(passage: Passage): void {
    const { request, response } = passage;
    this.#options.onRequestEnd({
      requestId: passage.requestId,
      operation: passage.operation,
      method: request.method ?? '',
      status: response.statusCode,
      durationMs: performance.now() - passage.began,
      principal: passage.principal?.id,
      clientAddress: passage.caller?.address ?? '',
    });
  }
}

/** A client that went away needs no answer and is no bug. */
function isGone({ request, response }: Passage): boolean {
  return response.destroyed || request.socket.destroyed;
}

function baseHeaders({ requestId }: Passage): Record<string, string | number> {
  return {
    'Docker-Distribution-Api-Version': 'registry/2.0',
    'X-Ms-Correlation-Request-Id': requestId,
    'X-Request-Id': requestId,
    'X-Content-Type-Options': 'nosniff',
  };
}

function challengeError({ request, principal }: Passage): 'insufficient_scope' | 'invalid_token' | undefined {
  const authorization = request.headers.authorization;
  if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
  return principal === undefined ? 'invalid_token' : 'insufficient_scope';
}

function queryOf(request: IncomingMessage): URLSearchParams {
  const url = request.url ?? '';
  const at = url.indexOf('?');
  return at === -1 ? emptyQuery : new URLSearchParams(url.slice(at + 1));
}

/** A mount reads its source, so the challenge asks for both; who may not read it falls back to an upload, not to a 401. */
function mountNeeds(operationId: string, query: URLSearchParams): readonly Need[] {
  const from = operationId === 'start-upload' && query.has('mount') ? query.get('from') : null;
  if (from === null) return [];
  try {
    return [{ type: 'repository', name: parseRepositoryName(from), action: 'pull' }];
  } catch {
    return [];
  }
}

/** A client that cached a token for the target alone gets the blob for nothing if it asks for one that covers the source, too. */
function isWorthAsking(principal: Principal, needs: readonly Need[]): boolean {
  return needs.some((need) => !principal.permits(need) && principal.couldPermit(need));
}

/** ACR's detail of a 401: which grants are missing. */
function missing(needs: readonly Need[]): unknown {
  return needs.flatMap((need) => (need.type === 'operator' ? [] : [{ Type: need.type, Name: need.name, Action: need.action }]));
}

function anonymousOf(registry: Registry): Principal {
  return { kind: 'anonymous', id: 'anonymous', registryId: registry.id, permits: () => false, couldPermit: () => false };
}
