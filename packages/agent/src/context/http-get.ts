import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { guardedLookup, requireHost } from './metadata-guard.ts';
import { SourceError } from './source-error.ts';

const maxRedirects = 5;
const attempts = 3;
/** How long the other side may be silent. */
const silenceMs = 60_000;
const maxHeaderBytes = 32 * 1024;

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Statuses that the caller understands; others are failures. Default: 200 alone. */
  readonly accepted?: readonly number[];
}

/** An answer that will not get better by asking again. */
export class AnswerError extends SourceError {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Does something with an answer, up to three times: what breaks off is begun anew, what is refused is not.
 * @throws SourceError, or the signal's reason
 */
export async function withRetries<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof SourceError && !(error instanceof AnswerError && isWorthAsking(error.status));
      if (isFinal || attempt >= attempts)
        throw error instanceof SourceError ? error : new SourceError((error as Error).message, { cause: error });
      await delay(250 * 2 ** attempt, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function isWorthAsking(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

/**
 * The head of the answer to a GET, whose body has not been read. Redirects are followed; to another host, the headers of the caller do
 * not go along. @throws SourceError, Error when there is no answer, or the signal's reason
 */
export async function httpGet(address: URL, { headers = {}, signal, accepted = [200] }: GetOptions): Promise<IncomingMessage> {
  let url = address;
  let own = headers;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const answer = await send(url, own, signal);
    const status = answer.statusCode ?? 0;
    if (accepted.includes(status)) return answer;
    answer.resume();
    if (![301, 302, 303, 307, 308].includes(status)) {
      answer.destroy();
      throw new AnswerError(`${shownUrl(address)} answers ${status}: ${nextStepOf(status)}`, status);
    }
    const next = redirectTarget(answer.headers.location, url);
    if (next.origin !== url.origin) own = {};
    url = next;
  }
  throw new SourceError(`${shownUrl(address)} redirects more than ${maxRedirects} times: name the address that it leads to`);
}

function redirectTarget(location: string | undefined, from: URL): URL {
  if (location === undefined || !URL.canParse(location, from)) throw new SourceError(`${shownUrl(from)} redirects to nowhere`);
  const next = new URL(location, from);
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw new SourceError(`${shownUrl(from)} redirects to an address without TLS: name that one if it is meant`);
  return next;
}

/** Without a password, and without a query, which may hold a signature. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function send(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new SourceError(`addresses begin with https:// or http://, not ${url.protocol}`);
  requireHost(url.hostname);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options: RequestOptions = {
    headers: { 'User-Agent': 'berth-agent', ...headers },
    lookup: guardedLookup,
    maxHeaderSize: maxHeaderBytes,
    agent: false,
    signal,
  };
  const outgoing = url.protocol === 'https:' ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve);
  outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`nothing came for ${silenceMs / 1000} seconds`)));
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    if (signal.aborted) reject(signal.reason as Error);
    else if (error instanceof SourceError) reject(error);
    else
      reject(new Error(`${url.host} cannot be reached: ${error.message === '' ? error.code : error.message}`, { cause: error }));
  });
  outgoing.end();
  return promise;
}

function nextStepOf(status: number): string {
  if (status === 401 || status === 403) return 'it wants a sign-in, or does not let the agent in';
  if (status === 404 || status === 410) return 'there is nothing at this address';
  return status >= 500 ? 'it has a problem of its own; try again later' : 'it does not give this away';
}
