import type { ManifestRead, RegistryAccess } from './registry-access.ts';

interface DescriptorRead {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: PlatformRead;
}

interface PlatformRead {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
}

interface ManifestJson {
  readonly config?: DescriptorRead;
  readonly layers?: readonly DescriptorRead[];
  readonly manifests?: readonly DescriptorRead[];
}

export interface ImageFacts {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifestSize: number;
  /** With the manifest and its blobs; of an index, of all its images. */
  readonly sizeBytes: number;
  readonly platforms: readonly string[];
}

/** What a registry has under a digest or a tag; undefined when it has nothing. @throws RegistryRefused */
export async function readImageFacts(
  registry: RegistryAccess,
  repository: string,
  reference: string,
): Promise<ImageFacts | undefined> {
  const manifest = await registry.manifest(repository, reference);
  if (manifest === undefined) return undefined;
  const body = JSON.parse(manifest.bytes.toString('utf8')) as ManifestJson;
  const own = { digest: manifest.digest, mediaType: manifest.mediaType, manifestSize: manifest.bytes.length };
  if (body.manifests !== undefined) return { ...own, ...(await indexFacts(registry, repository, { manifest, body })) };
  const config = body.config === undefined ? {} : await readConfig(registry, repository, body.config);
  const sizes = [body.config?.size ?? 0, ...(body.layers ?? []).map(({ size }) => size)];
  return { ...own, sizeBytes: sizes.reduce((sum, size) => sum + size, manifest.bytes.length), platforms: platformsOf(config) };
}

async function indexFacts(
  registry: RegistryAccess,
  repository: string,
  { manifest, body }: { readonly manifest: ManifestRead; readonly body: ManifestJson },
): Promise<Pick<ImageFacts, 'sizeBytes' | 'platforms'>> {
  let sizeBytes = manifest.bytes.length;
  const platforms: string[] = [];
  for (const child of (body.manifests ?? []).slice(0, 100)) {
    const read = await registry.manifest(repository, child.digest);
    const json = read === undefined ? {} : (JSON.parse(read.bytes.toString('utf8')) as ManifestJson);
    sizeBytes += [child, json.config, ...(json.layers ?? [])].reduce((sum, each) => sum + (each?.size ?? 0), 0);
    platforms.push(...platformsOf(child.platform ?? {}));
  }
  return { sizeBytes, platforms };
}

async function readConfig(registry: RegistryAccess, repository: string, { digest, size }: DescriptorRead): Promise<PlatformRead> {
  if (size > 2 * 1024 * 1024) return {};
  return JSON.parse((await registry.blob(repository, digest)).toString('utf8')) as PlatformRead;
}

function platformsOf({ os, architecture, variant }: PlatformRead): readonly string[] {
  if (os === undefined || architecture === undefined) return [];
  return [`${os}/${architecture}${variant === undefined || variant === '' ? '' : `/${variant}`}`];
}
