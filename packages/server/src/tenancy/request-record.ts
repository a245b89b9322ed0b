import type { Operation } from '@berth/api';
import type { Principal } from './principal.ts';
import type { Registry } from './registry.ts';

/** What a request was, for the log and the counters. Holds no header, no query and no credential. */
export interface RequestRecord {
  readonly requestId: string;
  /** The operation's id; `none` when no route took the request. */
  readonly operation: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  /** Bytes of the request's body that arrived. */
  readonly receivedBytes: number;
  /** Bytes of the answer's body that were handed to the connection. */
  readonly sentBytes: number;
  /** The principal's id. */
  readonly principal: string | undefined;
  readonly clientAddress: string;
  /** The connection broke before the answer was whole. */
  readonly isBroken: boolean;
}

/** What handlers tell about what a request was about. */
export interface RequestNotes {
  readonly digest?: string;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly sizeBytes?: number;
  /** Who signed in, where that was what the request was for. */
  readonly identity?: string;
}

/** What a request was about, for the audit trail. */
export interface RequestDetails {
  readonly operation: Operation | undefined;
  readonly registry: Registry | undefined;
  /** Undefined when the credentials were refused. */
  readonly principal: Principal | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly notes: RequestNotes;
  readonly userAgent: string;
  /** The row of the error catalogue. */
  readonly error: string | undefined;
}
