import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseRepositoryName } from '@berth/oci';
import { RegistryError, asRegistryError, renderAsArm, renderAsOci } from '../errors/index.ts';
import type { Need, Operation } from '@berth/api';
import type { Principal, RequestDetails } from '../tenancy/index.ts';
import { type Question, decide, isManagement, insteadNeeds, mountNeeds, needsOf } from './authorize.ts';
import { type CallerRules, callerOf, proxyList, requireOneHost } from './caller.ts';
import { Exchange } from './exchange.ts';
import { NetworkGate } from './network-rules.ts';
import { remainingHeader } from './rate-limit.ts';
import { requireRegionCertificate } from './region-certificate.ts';
import type { Reply, Route } from './route.ts';
import { type Headers, sendReply } from './send-reply.ts';
import type { ChallengeError, HttpServerOptions } from './server-options.ts';
import { watchTransfer } from './transfer-watch.ts';
import { endAfterBody, mustClose } from './unread-body.ts';

/** More headers than any client sends, `Accept` a hundred times included (attack 11). */
const maxHeaders = 256;

/** The one way of every request: who calls, which registry, who is it, may they, do it, answer, record. */
export class RequestHandler {
  readonly #options: HttpServerOptions;
  readonly #rules: CallerRules;
  readonly #gate: NetworkGate;
  #ready: Promise<void> | undefined;
  #inWork = 0;
  #whenIdle: (() => void) | undefined;
  readonly #stopping = new AbortController();

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#rules = {
      isTls: options.tls !== undefined,
      publicAddress: options.publicAddress,
      trustedProxies: proxyList(options.trustedProxies),
    };
    this.#gate = new NetworkGate(options.privateNetworks);
    this.#ready = options.ready?.finally(() => {
      this.#ready = undefined;
    });
    // Whoever starts the server handles the failure.
    this.#ready?.catch(() => undefined);
  }

  async handle(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    params: Readonly<Record<string, string>>,
  ): Promise<void> {
    const exchange = new Exchange(request, response, { operation: route.operation, params, log: this.#options.log });
    this.#inWork += 1;
    const stopWatching = exchange.hasBody ? this.#watchSending(exchange) : undefined;
    try {
      if (this.#inWork > this.#options.limits.maxRequests && route.operation.permission.kind !== 'public') throw overloaded();
      if (this.#ready !== undefined) await this.#ready;
      await this.#serve(route, exchange);
    } catch (error) {
      this.#answerError(exchange, error);
    } finally {
      stopWatching?.();
      this.#inWork -= 1;
      if (this.#inWork === 0) this.#whenIdle?.();
      this.#record(exchange);
    }
  }

  /** Answers a request that no route takes. */
  refuse(request: IncomingMessage, response: ServerResponse, error: RegistryError): void {
    const exchange = new Exchange(request, response, { log: this.#options.log });
    this.#answerError(exchange, error);
    this.#record(exchange);
  }

  /** From now on every answer tells its client to leave, and those without an end come to theirs. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Resolves when no handler is at work. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#inWork === 0) resolve();
      else this.#whenIdle = resolve;
    });
  }

  async #serve(route: Route, exchange: Exchange): Promise<void> {
    const { operation } = route;
    const { request, params, response } = exchange;
    requireOneHost(request.rawHeaders);
    if (request.rawHeaders.length > 2 * maxHeaders)
      throw new RegistryError('REQUEST_INVALID', { message: `the request has more than ${maxHeaders} headers` });
    const caller = callerOf(request, this.#rules);
    exchange.caller = caller;
    const registry = this.#options.resolveRegistry(caller.host);
    exchange.knownRegistry = registry;
    this.#gate.requirePassage(operation, registry, caller.address);
    const name = params['name'];
    if (name !== undefined) parseRepositoryName(name);
    if (operation.permission.kind === 'public') {
      exchange.knownPrincipal = nobody();
      this.#countCall(operation, exchange);
    } else {
      const needs = needsOf(operation, params);
      const sourceNeeds = mountNeeds(operation, exchange.query);
      const others = insteadNeeds(operation, params);
      exchange.needs = sourceNeeds.length + others.length === 0 ? needs : [...needs, ...others, ...sourceNeeds];
      const found = isManagement(operation)
        ? this.#options.authenticateManagement(exchange.headers)
        : this.#options.authenticate(exchange.headers, caller.address, registry);
      const principal = found instanceof Promise ? await found : found;
      if (this.#options.regionAuthorities !== undefined) requireRegionCertificate(principal, request.socket);
      exchange.knownPrincipal = principal;
      const question: Question = {
        operation,
        needs,
        insteadNeeds: others,
        sourceNeeds,
        principal,
        registry,
        scheme: exchange.scheme,
      };
      const decision = decide(question);
      if (decision === 'unauthorized') throw new RegistryError('UNAUTHORIZED', { detail: missingGrants(question) });
      this.#countCall(operation, exchange);
      if (decision === 'denied') throw denied(question);
    }
    const reply = (this.#options.redirect && (await this.#redirect(operation, exchange))) ?? (await route.handle(exchange));
    if (exchange.isStalled) throw tooSlow();
    if (response.destroyed) return;
    const how = { rule: this.#options.limits.transfer, stopping: this.#stopping.signal };
    await sendReply(exchange, reply, this.#baseHeaders(exchange), how);
  }

  /** The answer that sends a client to another region, where that is what is wanted. */
  async #redirect(operation: Operation, exchange: Exchange): Promise<Reply | undefined> {
    if (operation.method !== 'GET' && operation.method !== 'HEAD') return undefined;
    const location = await this.#options.redirect?.(operation, exchange);
    return location === undefined ? undefined : { status: 307, headers: { Location: location, 'Cache-Control': 'no-store' } };
  }

  /** After the question who it is: a challenge costs nobody a call, and failed sign-ins have their own brake. @throws TOOMANYREQUESTS */
  #countCall(operation: Operation, exchange: Exchange): void {
    const { rateLimiter } = this.#options;
    if (rateLimiter !== undefined) exchange.remainingCalls = rateLimiter.take(operation, exchange.registry, exchange.principal);
  }

  #answerError(exchange: Exchange, thrown: unknown): void {
    const { request, response } = exchange;
    const isGone = response.destroyed || request.socket.destroyed;
    const error = exchange.isStalled ? tooSlow() : asRegistryError(thrown);
    if (error.status >= 500 && !isGone) this.#logFailure(exchange, error, thrown);
    if (response.headersSent || isGone) {
      response.destroy();
      return;
    }
    exchange.error = error.error;
    const answer = isOfManagement(exchange) ? renderAsArm(error, exchange.id) : renderAsOci(error, exchange.id);
    const headers: Headers = Object.assign(this.#baseHeaders(exchange), answer.headers);
    headers['Content-Type'] = 'application/json; charset=utf-8';
    headers['Content-Length'] = Buffer.byteLength(answer.body);
    if (answer.status === 401 && !isOfManagement(exchange)) this.#addChallenge(exchange, headers);
    const isClosing = exchange.isStalled || mustClose(exchange);
    if (isClosing) headers['Connection'] = 'close';
    response.writeHead(answer.status, headers);
    const body = request.method === 'HEAD' ? '' : answer.body;
    exchange.sentBytes = Buffer.byteLength(body);
    if (!isClosing) {
      response.end(body);
      return;
    }
    if (body === '') response.flushHeaders();
    else response.write(body);
    endAfterBody(exchange);
  }

  /** One challenge in one header: clients read only the first. */
  #addChallenge(exchange: Exchange, headers: Headers): void {
    const { knownRegistry, needs, scheme, knownPrincipal } = exchange;
    if (knownRegistry === undefined || headers['WWW-Authenticate'] !== undefined) return;
    const refused: ChallengeError = knownPrincipal === undefined ? 'invalid_token' : 'insufficient_scope';
    headers['WWW-Authenticate'] = this.#options.challenge(
      knownRegistry,
      exchange.origin,
      needs,
      scheme === 'bearer' ? refused : undefined,
    );
  }

  #logFailure(exchange: Exchange, error: RegistryError, thrown: unknown): void {
    if (error.error === 'INTERNAL') exchange.log.error({ err: thrown }, 'a request failed unexpectedly');
    else exchange.log.warn({ err: thrown, error: error.error }, 'a request could not be served');
  }

  #baseHeaders(exchange: Exchange): Headers {
    const headers: Headers = {
      'Docker-Distribution-Api-Version': 'registry/2.0',
      'X-Ms-Correlation-Request-Id': exchange.id,
      'X-Ms-Request-Id': exchange.id,
      'X-Request-Id': exchange.id,
      'X-Content-Type-Options': 'nosniff',
    };
    if (exchange.remainingCalls !== undefined) Object.assign(headers, remainingHeader(exchange.remainingCalls));
    if (this.#stopping.signal.aborted) headers['Connection'] = 'close';
    return headers;
  }

  #watchSending(exchange: Exchange): () => void {
    const { request, response } = exchange;
    const { socket } = request;
    const rule = this.#options.limits.transfer;
    let patience: NodeJS.Timeout | undefined;
    const stop = watchTransfer(
      {
        bytes: () => socket.bytesRead,
        // A full buffer is the server's own doing: it does not read.
        isWaiting: () => !request.complete && request.readableLength < request.readableHighWaterMark && !response.writableEnded,
        onStall: () => {
          exchange.stall();
          // Handlers that wait for bytes and not for the signal learn it from the connection.
          patience = setTimeout(() => request.destroy(), Math.min(rule.windowMs, 1000));
          patience.unref();
        },
      },
      rule,
    );
    return () => {
      stop();
      clearTimeout(patience);
    };
  }

  #record(exchange: Exchange): void {
    const { request, response } = exchange;
    const record = {
      requestId: exchange.id,
      operation: exchange.operation?.id ?? 'none',
      method: request.method ?? '',
      status: response.statusCode,
      durationMs: performance.now() - exchange.began,
      receivedBytes: exchange.receivedBytes,
      sentBytes: exchange.sentBytes,
      principal: exchange.knownPrincipal?.id,
      clientAddress: exchange.clientAddress,
      isBroken: response.destroyed && !response.writableFinished,
    };
    this.#options.onRequestEnd(record, detailsOf(exchange));
  }
}

function detailsOf({ operation, knownRegistry, knownPrincipal, params, notes, request, error }: Exchange): RequestDetails {
  const userAgent = request.headers['user-agent'] ?? '';
  return { operation, registry: knownRegistry, principal: knownPrincipal, params, notes, userAgent, error };
}

function denied(question: Question): RegistryError {
  const [need] = question.needs;
  if (need?.type === 'resource') return notAuthorized(question.principal, need);
  return new RegistryError(
    'DENIED',
    question.operation.permission.kind === 'operator' || question.operation.permission.kind === 'deployment'
      ? { message: 'this needs the admin user with its password; a token does not carry that right' }
      : {},
  );
}

function notAuthorized({ name }: Principal, { action, scope }: Need & { readonly type: 'resource' }): RegistryError {
  return new RegistryError('DENIED', {
    message: `the client "${name}" does not have authorization to perform action "${action}" over scope "${scope}"`,
  });
}

/** Paths of the resource manager that no route takes are refused in its envelope, too. */
function isOfManagement({ operation, request }: Exchange): boolean {
  return operation === undefined
    ? /^\/(?:subscriptions|providers|tenants)(?:[/?]|$)/i.test(request.url ?? '')
    : isManagement(operation);
}

/** ACR's detail of a 401 (acr-api 1.4): which grants are missing. */
function missingGrants({ needs, sourceNeeds }: Question): unknown {
  return [...needs, ...sourceNeeds].flatMap((need) =>
    need.type === 'repository' || need.type === 'registry' ? [{ Type: need.type, Name: need.name, Action: need.action }] : [],
  );
}

function overloaded(): RegistryError {
  return new RegistryError('UNAVAILABLE', { message: 'too many requests are in work', headers: { 'Retry-After': '1' } });
}

function tooSlow(): RegistryError {
  return new RegistryError('REQUEST_TIMEOUT', { message: 'the body of the request arrives too slowly' });
}

/** Stands for the caller where nobody asks who it is. */
function nobody(): Principal {
  return { kind: 'anonymous', id: 'anonymous', name: 'anonymous', permits: () => false, couldPermit: () => false };
}
