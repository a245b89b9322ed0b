import type { FoundPackage } from './found-package.ts';
import type { SystemRelease } from './system-release.ts';

/** The package URL (purl) of a package. */
export function packageUrl(found: FoundPackage, system: SystemRelease | undefined): string {
  const { type, name, version, architecture } = found;
  if (type === 'npm') return `pkg:npm/${name.split('/').map(encoded).join('/')}@${encoded(version)}`;
  if (type === 'pypi') return `pkg:pypi/${encoded(name.toLowerCase().replaceAll(/[-_.]+/g, '-'))}@${encoded(version)}`;
  const usual = type === 'deb' ? 'debian' : 'alpine';
  const { id = usual, versionId } = system ?? {};
  const distribution = versionId === undefined ? undefined : `${id}-${versionId}`;
  return `pkg:${type}/${encoded(id)}/${encoded(name)}@${encoded(version)}${qualifiers({ arch: architecture, distro: distribution })}`;
}

export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string;
  readonly platform?: string | undefined;
}

/** The package URL of an image in a registry. */
export function imageUrl({ registry, repository, tag, digest, platform }: ImageName): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const [, architecture] = platform?.split('/') ?? [];
  const more = qualifiers({ arch: architecture, repository_url: `${registry}/${repository}`, tag: tag ?? undefined });
  return `pkg:oci/${encoded(name)}@${encoded(digest)}${more}`;
}

/** In the order of their names, as purl wants it. */
function qualifiers(values: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${encoded(value)}`]));
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%3A', ':')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
