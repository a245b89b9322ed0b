import type { FetchJson } from './access/index.ts';
import type { Outbound } from './platform/outbound/index.ts';

/** Published keys of issuers, through the guarded client. No issuer redirects; one that does is not who it says. */
export function fetchJsonThrough(outbound: Outbound): FetchJson {
  return async (url, { maxBytes, signal }) => {
    const answer = await outbound.request({ url, signal, maxBytes, maxRedirects: 0, headers: { accept: 'application/json' } });
    if (answer.status === 200) return answer.json();
    answer.discard();
    throw new Error(`the issuer answered with the status ${answer.status}`);
  };
}
