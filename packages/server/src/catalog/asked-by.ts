import type { FactRequest } from '@berth/api';
import type { Principal } from '../tenancy/index.ts';

/** Of a request that is routed, what the log keeps. */
export interface Asking {
  readonly id: string;
  readonly origin: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly clientAddress: string;
  readonly principal: Principal;
}

/** Clients say who they are in a few words. */
const maxAgentLength = 256;

/** Who asked for a change, as webhooks tell it (acr-api 5.2). */
export function askedBy({ id, origin, headers, clientAddress, principal }: Asking, method: string): FactRequest {
  return {
    id,
    // As the client wrote it: `name.127.0.0.1` names a registry here, and is no URL.
    host: origin.slice(origin.indexOf('://') + 3),
    method,
    useragent: (headers['user-agent'] ?? '').slice(0, maxAgentLength),
    ...(principal.kind !== 'anonymous' && { actor: principal.name }),
    address: clientAddress,
  };
}
