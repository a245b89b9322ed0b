/**
 * Repository names hold slashes, routers match segments. Before routing, the name in a path is percent-encoded into one
 * segment, and decoded with the other parameters. The last `manifests`, `blobs`, `tags` or `referrers` wins, because a
 * repository may itself be called so. Some SDKs write `a%2Fb` for `a/b` (acr-api 1.7); whatever else a client encoded is
 * encoded once more and so reaches the name grammar as it was written: nothing is decoded twice (attack 44).
 */
export function foldRepositoryName(url: string): string {
  const path = originForm(url);
  const queryAt = path.indexOf('?');
  const bare = queryAt === -1 ? path : path.slice(0, queryAt);
  const folded = bare.startsWith('/v2/') ? foldDistribution(bare) : bare.startsWith('/acr/v1/') ? foldAcr(bare) : bare;
  return queryAt === -1 ? folded : folded + path.slice(queryAt);
}

/** A client may send the whole address (RFC 9112, section 3.2.2); only its path counts. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  const match = /^https?:\/\/[^/?]*(.*)$/i.exec(url);
  if (match === null) return url;
  const rest = match[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

const uploads = /^\/v2\/(.+)\/blobs\/uploads(\/[^/]*)?$/;
const tags = /^\/v2\/(.+)\/tags\/list$/;
const content = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/;

function foldDistribution(path: string): string {
  const upload = uploads.exec(path);
  if (upload !== null) return `/v2/${segmentOf(upload[1])}/blobs/uploads${upload[2] ?? '/'}`;
  const tag = tags.exec(path);
  if (tag !== null) return `/v2/${segmentOf(tag[1])}/tags/list`;
  const item = content.exec(path);
  if (item !== null) return `/v2/${segmentOf(item[1])}/${item[2]}/${item[3]}`;
  return path;
}

const acr = /^\/acr\/v1\/([^_/].*?)(\/_(?:tags|manifests)(?:\/[^/]*)?)?$/;

const deleted = /^\/acr\/v1\/_deleted\/([^_/].*?)(\/_(?:tags|manifests)(?:\/[^/]*)?)$/;

/** No name's part begins with `_`. */
function foldAcr(path: string): string {
  const gone = deleted.exec(path);
  if (gone !== null) return `/acr/v1/_deleted/${segmentOf(gone[1])}${gone[2] ?? ''}`;
  const match = acr.exec(path);
  if (match === null) return path;
  return `/acr/v1/${segmentOf(match[1])}${match[2] ?? ''}`;
}

/** A name as one segment of a path. Its slashes are those that divided it from the rest, so that it cannot swallow any. */
function segmentOf(name = ''): string {
  return encodeURIComponent(name.replaceAll(/%2f/gi, '/'));
}
