import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Need, Operation } from '@berth/api';
import type { Logger } from 'pino';
import type { Principal, Registry, RequestNotes } from '../tenancy/index.ts';
import type { Caller } from './caller.ts';
import type { RouteRequest } from './route.ts';

/** A client's own id is taken when it can stand in a log and a header. */
const requestIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const emptyQuery = new URLSearchParams();

/** One request on its way through the server. What costs something is made when somebody asks for it. */
export class Exchange implements RouteRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operation: Operation | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly id: string;
  readonly began = performance.now();
  readonly contentLength: number | undefined;
  readonly hasBody: boolean;
  caller: Caller | undefined;
  /** What a challenge should ask for. */
  needs: readonly Need[] = [];
  /** The client was too slow: whatever the handler says, the answer is 408. */
  isStalled = false;
  sentBytes = 0;
  notes: RequestNotes = {};
  /** The row of the error catalogue that was answered. */
  error: string | undefined;
  /** Calls that the emptiest bucket still has, where calls are counted. */
  remainingCalls: number | undefined;
  knownRegistry: Registry | undefined;
  knownPrincipal: Principal | undefined;
  readonly #serverLog: Logger;
  readonly #receivedBefore: number;
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;
  #log: Logger | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    context: { readonly operation?: Operation; readonly params?: Readonly<Record<string, string>>; readonly log: Logger },
  ) {
    this.request = request;
    this.response = response;
    this.operation = context.operation;
    this.params = context.params ?? {};
    this.#serverLog = context.log;
    const { headers } = request;
    const given = headers['x-request-id'];
    this.id = typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
    const length = headers['content-length'];
    this.contentLength = length === undefined ? undefined : Number(length);
    this.hasBody = headers['transfer-encoding'] !== undefined || (this.contentLength ?? 0) > 0;
    this.#receivedBefore = this.hasBody ? (request.socket.bytesRead ?? 0) : 0;
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    // Node joins repeated headers by commas; only Set-Cookie, which clients do not send, would be a list.
    return this.request.headers as Readonly<Record<string, string | undefined>>;
  }

  get body(): IncomingMessage {
    return this.request;
  }

  get query(): URLSearchParams {
    if (this.#query === undefined) {
      const url = this.request.url ?? '';
      const at = url.indexOf('?');
      this.#query = at === -1 ? emptyQuery : new URLSearchParams(url.slice(at + 1));
    }
    return this.#query;
  }

  get registry(): Registry {
    if (this.knownRegistry === undefined) throw new Error('the request has no registry yet');
    return this.knownRegistry;
  }

  get principal(): Principal {
    if (this.knownPrincipal === undefined) throw new Error('the request is not authenticated yet');
    return this.knownPrincipal;
  }

  get origin(): string {
    return this.caller?.origin ?? '';
  }

  get clientAddress(): string {
    return this.caller?.address ?? '';
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      if (this.isStalled || this.response.destroyed || this.response.writableEnded) abort.abort();
      else this.response.once('close', () => abort.abort());
    }
    return this.#abort.signal;
  }

  get log(): Logger {
    this.#log ??= this.#serverLog.child({ requestId: this.id, operation: this.operation?.id });
    return this.#log;
  }

  get scheme(): 'basic' | 'bearer' | undefined {
    const { authorization } = this.request.headers;
    if (authorization === undefined) return undefined;
    return /^bearer /i.test(authorization) ? 'bearer' : 'basic';
  }

  /** Bytes of the body that arrived; exact once it is whole, otherwise with its framing. */
  get receivedBytes(): number {
    if (!this.hasBody) return 0;
    if (this.request.complete && this.contentLength !== undefined) return this.contentLength;
    return (this.request.socket.bytesRead ?? 0) - this.#receivedBefore;
  }

  note(facts: RequestNotes): void {
    this.notes = { ...this.notes, ...facts };
  }

  /** Tells the handler to end what it is doing. */
  stall(): void {
    this.isStalled = true;
    this.#abort?.abort();
  }

  /** Tells whatever still works for the answer that nobody wants it any more. */
  abandon(): void {
    this.#abort?.abort();
  }
}
