/** An image as docker understands its name. */
export interface ImageReference {
  /** With its port; `docker.io` where none is named. */
  readonly registry: string;
  readonly repository: string;
  /** `latest` where neither tag nor digest is named; null beside a digest alone. */
  readonly tag: string | null;
  readonly digest: string | null;
}

/**
 * Reads a name as docker does: what stands before the first slash is a host if it has a dot or a port, or is `localhost`.
 * Undefined for what is no name of an image.
 */
export function parseImageReference(text: string): ImageReference | undefined {
  const [name = '', digest, more] = text.split('@');
  if (more !== undefined || (digest !== undefined && !/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/.test(digest)))
    return undefined;
  const slash = name.indexOf('/');
  const host = slash === -1 ? '' : name.slice(0, slash);
  const isHost = host === 'localhost' || /[.:]/.test(host);
  const path = isHost ? name.slice(slash + 1) : name;
  const colon = path.indexOf(':');
  const repository = colon === -1 ? path : path.slice(0, colon);
  const tag = colon === -1 ? undefined : path.slice(colon + 1);
  if (!/^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/.test(repository))
    return undefined;
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) return undefined;
  const registry = isHost && host !== 'index.docker.io' ? host : 'docker.io';
  return {
    registry,
    repository: registry === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository,
    tag: tag ?? (digest === undefined ? 'latest' : null),
    digest: digest ?? null,
  };
}
