import type { Operation } from '@berth/api';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { Principal, Registry, RequestNotes } from '../tenancy/index.ts';

/** An operation of the contract with the code that answers it. Features export lists of these; `http` mounts them. */
export interface Route {
  readonly operation: Operation;
  readonly handle: (request: RouteRequest) => Promise<Reply>;
}

/** A request that has been parsed, authenticated and authorised as its operation declares. Knows no HTTP framework. */
export interface RouteRequest {
  readonly id: string;
  readonly registry: Registry;
  readonly principal: Principal;
  /** Path parameters, decoded once; `name` is the whole repository name with its slashes. */
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters; every value of a repeated one. */
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** `scheme://host[:port]` as the client sees this server. */
  readonly origin: string;
  readonly clientAddress: string;
  /** `Content-Length` when the client sent one. */
  readonly contentLength: number | undefined;
  /** The body as it arrives, never buffered. Errors or is destroyed when the client goes away early. */
  readonly body: Readable;
  /** Aborts when the client is gone or the server must stop. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Tells what the request is about, for the audit trail. */
  note(facts: RequestNotes): void;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /**
   * Text, JSON (any other plain object), bytes, a stream of chunks with its exact length, or text as it comes to be. Omit
   * for no body. For HEAD the body is never sent, its length is.
   */
  readonly body?: string | Uint8Array | JsonBody | StreamBody | LiveBody;
}

export interface JsonBody {
  readonly json: unknown;
}

export interface StreamBody {
  readonly lengthBytes: number;
  /** Not called for HEAD. Arrays of buffers are written in one go, and their memory freed. */
  readonly open: () => AsyncIterable<readonly Buffer[]>;
}

/**
 * A body without an end that is known beforehand, such as a stream of events. It ends when the iterable does, when the client
 * goes away or takes nothing, and when the server stops; the request's signal aborts then, and the iterable must not go on.
 */
export interface LiveBody {
  /** Not called for HEAD. */
  readonly live: () => AsyncIterable<string>;
}
