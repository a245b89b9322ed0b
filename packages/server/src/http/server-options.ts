import type { Need } from '@berth/api';
import type { Logger } from 'pino';
import type { Principal, Registry } from '../tenancy/index.ts';
import type { Route } from './route.ts';
import type { SlowBodyRule } from './slow-body.ts';

/** Everything a stranger can make the server hold is bounded here. */
export interface HttpLimits {
  readonly maxConnections: number;
  /** Requests in work; beyond it 503. */
  readonly maxRequests: number;
  readonly maxHeaderBytes: number;
  /** All headers must have arrived by then. */
  readonly headersTimeoutMs: number;
  /** A connection without traffic for so long is closed. */
  readonly idleTimeoutMs: number;
  readonly slowBody: SlowBodyRule;
}

export const defaultHttpLimits: HttpLimits = {
  maxConnections: 10_000,
  maxRequests: 2_000,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 20_000,
  idleTimeoutMs: 75_000,
  slowBody: { windowMs: 30_000, minBytes: 16 * 1024 },
};

/** What a request was, for the log and the counters. */
export interface RequestRecord {
  readonly requestId: string;
  readonly operation: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly principal: string | undefined;
  readonly clientAddress: string;
}

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly authenticate: (headers: Readonly<Record<string, string | undefined>>, clientAddress: string, registry: Registry) => Principal | Promise<Principal>;
  /** The text of `WWW-Authenticate`. */
  readonly challenge: (registry: Registry, origin: string, needs: readonly Need[], error?: 'insufficient_scope' | 'invalid_token') => string;
  readonly resolveRegistry: (host: string) => Registry;
  readonly log: Logger;
  readonly limits: HttpLimits;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly publicHost: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly onRequestEnd: (record: RequestRecord) => void;
}
