import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { asOutboundError } from '../../platform/outbound/outbound-error.ts';
import { PeerError } from './model.ts';
import { PeerAgents, type PeerTrust } from './peer-agents.ts';
import { unreachable } from './peer-failures.ts';

export interface PeerLimits {
  readonly connectMs: number;
  /** From the request to the head of its answer, connecting included; a long poll has its wait on top. */
  readonly answerMs: number;
  /** Between bytes of a body that somebody waits for. */
  readonly idleMs: number;
  readonly maxHeaderBytes: number;
}

export const defaultPeerLimits: PeerLimits = { connectMs: 5_000, answerMs: 15_000, idleMs: 20_000, maxHeaderBytes: 16 * 1024 };

export interface PeerRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long the other region may wait before it answers. */
  readonly waitMs?: number;
  readonly isBlob?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Connections to one region, kept open. The address is the operator's, so that it may be anywhere; it is never another one:
 * redirects are answers like any other.
 */
export class PeerConnection {
  readonly #region: string;
  readonly #address: URL;
  readonly #limits: PeerLimits;
  readonly #agents: PeerAgents;

  constructor({
    region,
    address,
    limits,
    ...trust
  }: PeerTrust & { readonly region: string; readonly address: string; readonly limits: PeerLimits }) {
    this.#region = region;
    this.#address = new URL(address);
    this.#limits = limits;
    this.#agents = new PeerAgents(this.#address.protocol === 'https:', trust);
  }

  /** The head of the answer; its body has not been read. @throws PeerError, or the signal's reason */
  async get(request: PeerRequest): Promise<IncomingMessage> {
    request.signal.throwIfAborted();
    const first = await this.#attempt(request);
    if (first !== 'stale') return first;
    const second = await this.#attempt(request);
    if (second === 'stale') throw unreachable(this.#region, this.#address, 'the connection broke off');
    return second;
  }

  close(): void {
    this.#agents.close();
  }

  /** `stale`: a connection that was kept open had been closed by the other side, and nothing was done with the request. */
  #attempt({ path, headers, waitMs = 0, isBlob = false, signal }: PeerRequest): Promise<IncomingMessage | 'stale'> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | 'stale'>();
    const isTls = this.#address.protocol === 'https:';
    const options: RequestOptions = {
      headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'berth', ...headers },
      agent: isBlob ? this.#agents.current().blobs : this.#agents.current().calls,
      maxHeaderSize: this.#limits.maxHeaderBytes,
      signal,
    };
    const url = new URL(path, this.#address);
    const request = isTls ? httpsRequest(url, options) : httpRequest(url, options);
    const giveUp = (what: string) => () =>
      request.destroy(unreachable(this.#region, this.#address, `it does not ${what} in time`));
    const answer = setTimeout(giveUp('answer'), this.#limits.answerMs + waitMs);
    let connect: NodeJS.Timeout | undefined;
    request.on('socket', (socket) => {
      if (!socket.connecting) return;
      connect = setTimeout(giveUp('take the connection'), this.#limits.connectMs);
      socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(connect));
    });
    request.on('close', () => {
      clearTimeout(connect);
      clearTimeout(answer);
    });
    request.on('response', (response) => {
      clearTimeout(answer);
      resolve(response);
    });
    // Also after the answer's head: its body tells of that by itself.
    request.on('error', (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (request.reusedSocket && isReset(error)) resolve('stale');
      else reject(this.#failure(error));
    });
    request.end();
    return promise;
  }

  #failure(error: Error): PeerError {
    if (error instanceof PeerError) return error;
    const { kind, message } = asOutboundError(error, this.#address.host);
    return unreachable(this.#region, this.#address, message, { isTls: kind === 'tls', cause: error });
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
