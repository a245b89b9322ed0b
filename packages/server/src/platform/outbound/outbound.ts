import type { IncomingMessage } from 'node:http';
import { type Readable, pipeline } from 'node:stream';
import { AllowList } from './allow-list.ts';
import { BoundedBody, tooLarge } from './bounded-body.ts';
import { Guard, type Resolver } from './guard.ts';
import { type Hop, HopSender, type OutboundLimits, defaultLimits } from './hop.ts';
import { OutboundError, asOutboundError } from './outbound-error.ts';
import { nextHop } from './redirect.ts';

export interface OutboundRequest {
  readonly url: string;
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly signal: AbortSignal;
  /** Of the answer's body. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** 0: a redirect is an answer like any other. Default: 5. */
  readonly maxRedirects?: number;
  /** For the whole of it, redirects and body included. */
  readonly totalMs?: number;
}

export interface OutboundAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Whose answer it is, after redirects. */
  readonly url: URL;
  /** To be read to its end or destroyed. Fails with an OutboundError. */
  readonly body: Readable;
  /** The whole body. @throws OutboundError */
  bytes(): Promise<Buffer>;
  /** @throws OutboundError */
  json(): Promise<unknown>;
  /** Nobody is going to read the body. */
  discard(): void;
}

export interface Outbound {
  /** @throws OutboundError, or the signal's reason. An answer of any status is an answer. */
  request(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Closes connections that are kept open. */
  close(): void;
}

export interface OutboundOptions {
  /** The setting `outboundAllow`. */
  readonly allow: readonly string[];
  readonly limits?: Partial<OutboundLimits>;
  /** Default: the system's. */
  readonly resolve?: Resolver;
}

const defaultMaxBytes = 1024 * 1024;
const defaultMaxRedirects = 5;

/** What decides about framing and routing is not for callers, whose headers may be a user's. */
const reservedHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a header belongs to the connection, so that a request which sets it is refused. */
export function isReservedHeader(name: string): boolean {
  return reservedHeaders.has(name.toLowerCase());
}

/** The one way out for requests that users can steer. */
export function createOutbound({ allow, limits, resolve }: OutboundOptions): Outbound {
  const bounds = { ...defaultLimits, ...limits };
  const sender = new HopSender(new Guard(new AllowList(allow), resolve), bounds);
  return {
    request: (request) => follow(sender, bounds, request),
    close: () => sender.close(),
  };
}

async function follow(sender: HopSender, limits: OutboundLimits, request: OutboundRequest): Promise<OutboundAnswer> {
  const { maxRedirects = defaultMaxRedirects } = request;
  request.signal.throwIfAborted();
  let hop = firstHop(request);
  const end = new AbortController();
  const timer = setTimeout(
    () => end.abort(new OutboundError('timeout', `${hop.url.host} took too long in all`)),
    request.totalMs ?? limits.totalMs,
  );
  const signal = AbortSignal.any([request.signal, end.signal]);
  const stop = (): void => clearTimeout(timer);
  try {
    for (let redirects = 0; ; redirects += 1) {
      const response = await sender.send(hop, signal);
      const next = maxRedirects === 0 ? undefined : nextHop(hop, response.statusCode ?? 0, response.headers.location);
      if (next === undefined) return answerOf(response, { request, url: hop.url, idleMs: limits.idleMs, signal, stop });
      response.destroy();
      if (redirects === maxRedirects) throw new OutboundError('redirect', `${hop.url.host} redirects too often`);
      hop = next;
    }
  } catch (error) {
    stop();
    throw error;
  }
}

function firstHop({ url: text, method = 'GET', headers = {}, body }: OutboundRequest): Hop {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new OutboundError('invalid-request', 'the address is not a URL');
  if (url.username !== '' || url.password !== '')
    throw new OutboundError('invalid-request', 'the address must not hold a user name or a password');
  const sent: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'berth' };
  for (const [name, value] of Object.entries(headers)) {
    if (isReservedHeader(name)) throw new OutboundError('invalid-request', `the header ${name} cannot be set`);
    sent[name.toLowerCase()] = value;
  }
  const bytes = body === undefined ? undefined : Buffer.from(body);
  if (bytes !== undefined) sent['content-length'] = String(bytes.length);
  return { url, method: method.toUpperCase(), headers: sent, body: bytes };
}

interface Answered {
  readonly request: OutboundRequest;
  readonly url: URL;
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** Once the body has ended. */
  readonly stop: () => void;
}

function answerOf(response: IncomingMessage, { request, url, idleMs, signal, stop }: Answered): OutboundAnswer {
  const { maxBytes = defaultMaxBytes } = request;
  const bounds = { host: url.host, maxBytes, idleMs };
  if (request.method !== 'HEAD' && Number(response.headers['content-length'] ?? 0) > maxBytes) {
    response.destroy();
    throw tooLarge(bounds);
  }
  const body = new BoundedBody(bounds);
  // The first error counts, and the body is destroyed with it: a connection that breaks off is told in our words.
  response.on('error', (error) => body.destroy(signal.aborted ? (signal.reason as Error) : asOutboundError(error, url.host)));
  // It may end before anybody listens; whoever reads it then is told.
  body.on('error', () => undefined).on('close', stop);
  pipeline(response, body, () => undefined);
  const bytes = async (): Promise<Buffer> => Buffer.concat((await body.toArray()) as Buffer[]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')])),
    url,
    body,
    bytes,
    json: async () => parseJson(await bytes(), url),
    discard: () => void body.destroy(),
  };
}

function parseJson(bytes: Buffer, url: URL): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new OutboundError('content', `${url.host} answers with something that is not JSON`, error);
  }
}
