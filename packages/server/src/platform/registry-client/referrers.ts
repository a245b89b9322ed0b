import { type Digest, digestAlgorithm, digestHex, isDigest } from '@berth/oci';
import { type OutboundAnswer, OutboundError } from '../outbound/index.ts';
import { RemoteError, fromOutbound } from './remote-error.ts';

/** A list of more pages than this is without end. */
const maxPages = 1000;

type Get = (path: string) => Promise<OutboundAnswer>;

/**
 * The manifests that name a subject (OCI distribution, "Listing Referrers"), or what clients have written down under a tag
 * for registries without that list. Anything that is no list of them counts as none.
 */
export async function* findReferrers(subject: Digest, get: Get): AsyncGenerator<readonly Digest[], void> {
  let path: string | undefined = `referrers/${subject}`;
  for (let pages = 0; path !== undefined; pages += 1) {
    if (pages === maxPages) throw new RemoteError('unusable', `the list of referrers of ${subject} does not end`);
    const answer = await get(path);
    const isList =
      answer.status === 200 && answer.headers['content-type']?.startsWith('application/vnd.oci.image.index') === true;
    if (!isList) {
      answer.discard();
      if (pages === 0) yield* taggedReferrers(subject, get);
      return;
    }
    path = nextPath(answer);
    yield digestsIn(await jsonOf(answer));
  }
}

/** "Referrers Tag Schema". */
async function* taggedReferrers(subject: Digest, get: Get): AsyncGenerator<readonly Digest[], void> {
  const answer = await get(`manifests/${digestAlgorithm(subject)}-${digestHex(subject)}`);
  if (answer.status === 200) yield digestsIn(await jsonOf(answer));
  else answer.discard();
}

/** Relative to the repository; only the query may change, so that a list cannot lead elsewhere. */
function nextPath(answer: OutboundAnswer): string | undefined {
  const link = /^\s*<([^>]{1,4096})>\s*;\s*rel="?next"?/.exec(answer.headers['link'] ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, answer.url)) return undefined;
  const next = new URL(link, answer.url);
  const subject = /referrers\/[a-z0-9:]+$/.exec(answer.url.pathname)?.[0];
  return subject !== undefined && next.pathname.endsWith(subject) ? `${subject}${next.search}` : undefined;
}

async function jsonOf(answer: OutboundAnswer): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    if (error instanceof OutboundError && error.kind === 'content') return undefined;
    throw error instanceof OutboundError ? fromOutbound(error) : error;
  }
}

function digestsIn(document: unknown): readonly Digest[] {
  const list = typeof document === 'object' && document !== null && 'manifests' in document ? document.manifests : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const digest = typeof entry === 'object' && entry !== null && 'digest' in entry ? entry.digest : undefined;
    return typeof digest === 'string' && isDigest(digest) ? [digest] : [];
  });
}
