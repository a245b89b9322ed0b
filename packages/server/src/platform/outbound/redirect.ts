import type { Hop } from './hop.ts';
import { OutboundError } from './outbound-error.ts';

/** All that another origin may learn: a name that holds a secret can be any (attack 29). */
const harmlessHeaders = new Set(['accept', 'accept-encoding', 'if-none-match', 'if-range', 'range', 'user-agent']);

/** Where an answer sends us on to; undefined: it is no redirect. @throws OutboundError */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  if (!URL.canParse(location, hop.url)) throw refused(hop.url, 'to something that is no address');
  const url = new URL(location, hop.url);
  url.hash = '';
  if (url.username !== '' || url.password !== '') throw refused(hop.url, 'to an address with credentials');
  if (hop.url.protocol === 'https:' && url.protocol !== 'https:') throw refused(hop.url, 'from https to another protocol');
  const isGetNow = status === 303 ? hop.method !== 'HEAD' : status <= 302 && hop.method === 'POST';
  const method = isGetNow ? 'GET' : hop.method;
  const body = isGetNow ? undefined : hop.body;
  const isSameOrigin = url.origin === hop.url.origin;
  if (!isSameOrigin && body !== undefined) throw refused(hop.url, 'a request with a body to another host');
  const kept = Object.entries(hop.headers).filter(([name]) =>
    isSameOrigin ? body !== undefined || !name.startsWith('content-') : harmlessHeaders.has(name),
  );
  return { url, method, headers: Object.fromEntries(kept), body };
}

function refused(url: URL, how: string): OutboundError {
  return new OutboundError('redirect', `${url.host} redirects ${how}, which is not followed`);
}
