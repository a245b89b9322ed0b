import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Guard } from './guard.ts';
import { OutboundError, asOutboundError } from './outbound-error.ts';

export interface OutboundLimits {
  readonly connectMs: number;
  /** From the request to the head of its answer, connecting included. */
  readonly answerMs: number;
  /** Between bytes of a body. */
  readonly idleMs: number;
  /** The whole of a request with its redirects and its body, where the caller says no other. */
  readonly totalMs: number;
  readonly maxHeaderBytes: number;
}

export const defaultLimits: OutboundLimits = {
  connectMs: 10_000,
  answerMs: 30_000,
  idleMs: 30_000,
  totalMs: 120_000,
  maxHeaderBytes: 32 * 1024,
};

/** One request without redirects. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

const connections = { keepAlive: true, maxSockets: 16, maxTotalSockets: 256, timeout: 15_000 };

/** Sends single requests over connections that the guard has let pass. */
export class HopSender {
  readonly #guard: Guard;
  readonly #limits: OutboundLimits;
  readonly #http = new HttpAgent(connections);
  readonly #https = new HttpsAgent(connections);

  constructor(guard: Guard, limits: OutboundLimits) {
    this.#guard = guard;
    this.#limits = limits;
  }

  /** The head of the answer; its body has not been read. @throws OutboundError, or the signal's reason */
  async send(hop: Hop, signal: AbortSignal): Promise<IncomingMessage> {
    if (hop.url.protocol !== 'http:' && hop.url.protocol !== 'https:')
      throw new OutboundError('invalid-request', `addresses begin with https:// or http://, not ${hop.url.protocol}`);
    this.#guard.requireUrl(hop.url);
    const first = await this.#attempt(hop, signal);
    if (first !== 'stale') return first;
    const second = await this.#attempt(hop, signal);
    if (second === 'stale') throw new OutboundError('broken', `the connection to ${hop.url.host} broke off`);
    return second;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** `stale`: a connection that was kept open had been closed by the other side, and nothing was done with the request. */
  #attempt(hop: Hop, signal: AbortSignal): Promise<IncomingMessage | 'stale'> {
    const { url, body } = hop;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | 'stale'>();
    const request = this.#begin(hop, signal);
    const giveUp = (what: string) => () => request.destroy(new OutboundError('timeout', `${url.host} does not ${what} in time`));
    const answer = setTimeout(giveUp('answer'), this.#limits.answerMs);
    let connect: NodeJS.Timeout | undefined;
    request.on('socket', (socket) => {
      if (!socket.connecting) return;
      connect = setTimeout(giveUp('take the connection'), this.#limits.connectMs);
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(connect));
    });
    request.on('close', () => clearTimeout(connect));
    request.on('response', (response) => {
      clearTimeout(answer);
      resolve(response);
    });
    // Also after the answer's head: its body tells of that by itself.
    request.on('error', (error) => {
      clearTimeout(answer);
      if (signal.aborted) reject(signal.reason as Error);
      else if (request.reusedSocket && isReset(error) && (hop.method === 'GET' || hop.method === 'HEAD')) resolve('stale');
      else reject(asOutboundError(error, url.host));
    });
    request.end(body);
    return promise;
  }

  #begin({ url, method, headers }: Hop, signal: AbortSignal): ClientRequest {
    const isTls = url.protocol === 'https:';
    const options: RequestOptions = {
      method,
      headers,
      signal,
      agent: isTls ? this.#https : this.#http,
      lookup: this.#guard.lookup,
      maxHeaderSize: this.#limits.maxHeaderBytes,
    };
    try {
      return isTls ? httpsRequest(url, options) : httpRequest(url, options);
    } catch (error) {
      // A line break in a header, a method that is none.
      throw new OutboundError('invalid-request', 'a header or the method cannot be sent as it is', error);
    }
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
