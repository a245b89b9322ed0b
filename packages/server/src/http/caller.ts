import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { RegistryError } from '../errors/index.ts';

/** Where a request comes from and what it believes to talk to. */
export interface Caller {
  readonly address: string;
  /** `scheme://host[:port]` as the client sees this server. */
  readonly origin: string;
  readonly host: string;
}

export interface CallerRules {
  readonly isTls: boolean;
  /** Host and port that answers name whatever the request said; undefined: the host of the request. */
  readonly publicHost: string | undefined;
  /** Proxies whose X-Forwarded-* headers are believed. Nobody else's are (attack 12). */
  readonly trustedProxies: BlockList | undefined;
}

/** RFC 3986 host with optional port, nothing that could break out of a header or a URL. */
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** @throws REQUEST_INVALID when the Host header is missing or no host */
export function callerOf(request: IncomingMessage, rules: CallerRules): Caller {
  const peer = request.socket.remoteAddress ?? '';
  const isProxied = rules.trustedProxies?.check(peer, isIPv6(peer) ? 'ipv6' : 'ipv4') === true;
  const forwardedHost = isProxied ? firstOf(request.headers['x-forwarded-host']) : undefined;
  const host = forwardedHost ?? request.headers.host;
  if (host === undefined || !hostPattern.test(host)) throw new RegistryError('REQUEST_INVALID', { message: 'the request has no valid Host header' });
  const forwardedScheme = isProxied ? firstOf(request.headers['x-forwarded-proto']) : undefined;
  const isTls = forwardedScheme === undefined ? rules.isTls : forwardedScheme === 'https';
  const shown = rules.publicHost ?? host;
  const address = isProxied ? (lastOf(request.headers['x-forwarded-for']) ?? peer) : peer;
  return { address, host, origin: `${isTls ? 'https' : 'http'}://${shown}` };
}

/** Addresses and networks (`10.0.0.0/8`) as a list to check against. @throws RangeError naming what is wrong */
export function proxyList(entries: readonly string[]): BlockList | undefined {
  if (entries.length === 0) return undefined;
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      if (prefix === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(prefix), family);
    } catch (error) {
      throw new RangeError(`"${entry}" is neither an address nor a network such as 10.0.0.0/8`, { cause: error });
    }
  }
  return list;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return String(header ?? '').split(',', 1)[0]?.trim() || undefined;
}

/** The address that the nearest trusted proxy saw; what stands before it a client may have written. */
function lastOf(header: string | string[] | undefined): string | undefined {
  return String(header ?? '').split(',').at(-1)?.trim() || undefined;
}
