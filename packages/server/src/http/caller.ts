import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import { RegistryError } from '../errors/index.ts';
import { isListed, listOfNetworks, parseNetwork } from '../platform/networks.ts';

/** Where a request comes from and what it believes to talk to. */
export interface Caller {
  readonly address: string;
  /** `scheme://host[:port]` as the client sees this server. */
  readonly origin: string;
  /** `host[:port]` that the request named. */
  readonly host: string;
}

export interface CallerRules {
  readonly isTls: boolean;
  /**
   * `host[:port]`, perhaps with its scheme, that answers name whatever the request said, except for `NAME.` before it, which is
   * another registry; undefined: the request's host.
   */
  readonly publicAddress: string | undefined;
  /** Proxies whose X-Forwarded-* headers are believed. Nobody else's are (attack 12). */
  readonly trustedProxies: BlockList | undefined;
}

/** RFC 3986 host with optional port, nothing that could break out of a header or a URL. */
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** @throws REQUEST_INVALID when the Host header is missing or no host */
export function callerOf(request: IncomingMessage, rules: CallerRules): Caller {
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  const { headers } = request;
  const isProxied = isProxy(rules.trustedProxies, peer);
  const host = (isProxied ? firstOf(headers['x-forwarded-host']) : undefined) ?? headers.host;
  if (host === undefined || !hostPattern.test(host))
    throw new RegistryError('REQUEST_INVALID', { message: 'the request has no valid Host header' });
  const forwardedScheme = isProxied ? firstOf(headers['x-forwarded-proto']) : undefined;
  const isTls = forwardedScheme === undefined ? rules.isTls : forwardedScheme === 'https';
  const origin = originOf(host, isTls ? 'https://' : 'http://', rules.publicAddress);
  return { address: isProxied ? forwardedAddress(headers['x-forwarded-for'], peer, rules.trustedProxies) : peer, host, origin };
}

/** Whoever asks `team1.registry.example` must be told to sign in there: at `registry.example` nobody knows its users. */
function originOf(host: string, scheme: string, publicAddress: string | undefined): string {
  if (publicAddress === undefined) return scheme + host;
  const address = publicAddress.replace(/^https?:\/\//, '');
  const publicScheme = publicAddress.slice(0, publicAddress.length - address.length) || scheme;
  const dot = host.indexOf('.');
  const isOfRegistry = dot !== -1 && host.slice(dot + 1).toLowerCase() === address.toLowerCase();
  return publicScheme + (isOfRegistry ? host : address);
}

/**
 * Two servers in a row could each believe another Host (RFC 9112, section 3.2); Node keeps the first without a word.
 * `rawHeaders`: names and values in turn. @throws REQUEST_INVALID
 */
export function requireOneHost(rawHeaders: readonly string[]): void {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) throw new RegistryError('REQUEST_INVALID', { message: 'the request has more than one Host header' });
}

/** Addresses and networks (`10.0.0.0/8`) as a list to check against. @throws RangeError naming what is wrong */
export function proxyList(entries: readonly string[]): BlockList | undefined {
  if (entries.length === 0) return undefined;
  return listOfNetworks(
    entries.map((entry) => {
      const network = parseNetwork(entry);
      if (network === undefined) throw new RangeError(`"${entry}" is neither an address nor a network such as 10.0.0.0/8`);
      return network;
    }),
  );
}

function isProxy(proxies: BlockList | undefined, address: string): boolean {
  return proxies !== undefined && isListed(proxies, address);
}

/** Dual-stack sockets report `::ffff:10.0.0.1` for what everybody writes as `10.0.0.1`. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** From the right, the first address that is no trusted proxy: what stands left of it a client may have written. */
function forwardedAddress(header: string | string[] | undefined, peer: string, proxies: BlockList | undefined): string {
  let nearest = peer;
  for (const entry of String(header ?? '')
    .split(',')
    .toReversed()) {
    const address = plainAddress(entry.trim());
    if (isIP(address) === 0) return nearest;
    nearest = address;
    if (!isProxy(proxies, address)) return nearest;
  }
  return nearest;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(',', 1)[0]?.trim() || undefined;
}
