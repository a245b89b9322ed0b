import type { Need, Operation } from '@berth/api';
import type { Logger } from 'pino';
import type { Principal, Registry, RequestDetails, RequestRecord } from '../tenancy/index.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { Route, RouteRequest } from './route.ts';
import type { TransferRule } from './transfer-watch.ts';

/** Everything that a stranger can make the server hold is bounded here. */
export interface HttpLimits {
  /** Further ones are closed at once. */
  readonly maxConnections: number;
  /** Requests in work; beyond it 503. */
  readonly maxRequests: number;
  readonly maxHeaderBytes: number;
  /** All headers of a request must have arrived by then. */
  readonly headersTimeoutMs: number;
  /** A connection that waits for its next request for so long is closed. */
  readonly idleTimeoutMs: number;
  readonly transfer: TransferRule;
}

export const defaultHttpLimits: HttpLimits = {
  maxConnections: 10_000,
  maxRequests: 2_000,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 20_000,
  idleTimeoutMs: 75_000,
  transfer: { windowMs: 30_000, minBytes: 16 * 1024 },
};

export type ChallengeError = 'insufficient_scope' | 'invalid_token';

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  /** Who sends a request; anonymous without credentials. @throws RegistryError UNAUTHORIZED for bad ones */
  readonly authenticate: (
    headers: Readonly<Record<string, string | undefined>>,
    clientAddress: string,
    registry: Registry,
  ) => Principal | Promise<Principal>;
  /** The same for the resource manager, whose tokens are other ones. @throws RegistryError UNAUTHORIZED */
  readonly authenticateManagement: (headers: Readonly<Record<string, string | undefined>>) => Principal | Promise<Principal>;
  /** The text of `WWW-Authenticate`: how to get what `needs` names. */
  readonly challenge: (registry: Registry, origin: string, needs: readonly Need[], error?: ChallengeError) => string;
  readonly resolveRegistry: (host: string) => Registry;
  /** Where a read that is permitted should go instead; undefined: it is served. */
  readonly redirect?: ((operation: Operation, request: RouteRequest) => Promise<string | undefined>) | undefined;
  readonly log: Logger;
  readonly limits: HttpLimits;
  /** PEM texts. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** PEM: authorities whose certificates other regions have to show, beside their tokens; undefined: they show none. */
  readonly regionAuthorities?: string | undefined;
  /** How clients reach the server whatever they say in `Host`: `host[:port]`, with `https://` before it behind a proxy. */
  readonly publicAddress: string | undefined;
  readonly trustedProxies: readonly string[];
  /** Networks that pass whatever the network rules of a registry say. */
  readonly privateNetworks: readonly string[];
  /** Absent: calls are not counted. */
  readonly rateLimiter?: RateLimiter | undefined;
  readonly onRequestEnd: (record: RequestRecord, details: RequestDetails) => void;
  /** Requests that come before it resolves wait for it. */
  readonly ready?: Promise<void>;
}
