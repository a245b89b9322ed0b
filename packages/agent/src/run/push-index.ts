import type { ImageReference } from '@berth/task-file';
import { type PushedImage, outputOf, pushTag } from './push-tag.ts';
import type { ImageFacts } from './registry/image-facts.ts';
import { RegistryAccess } from './registry/registry-access.ts';
import type { BuiltImage } from './run-images.ts';
import type { AttemptContext, RunScene } from './run-scene.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';

/**
 * Pushes the images of several platforms under temporary tags, and an index of them under the wanted one.
 * @throws EngineError, RegistryRefused
 */
export async function pushIndex(
  scene: RunScene,
  built: BuiltImage,
  { reference, context }: { readonly reference: ImageReference; readonly context: AttemptContext },
): Promise<PushedImage> {
  const { registry, repository, tag } = reference;
  const children: { readonly facts: ImageFacts; readonly platform: string; readonly id: string }[] = [];
  for (const { platform, id } of built.images) {
    const temporary = `_berth-${scene.host.assignment.run.id}-${platform.replaceAll('/', '-')}`;
    const name = `${registry}/${repository}:${temporary}`;
    const known = `${repository}:${temporary}`;
    if (!scene.temporaryTags.includes(known)) scene.temporaryTags.push(known);
    const facts = await pushTag(scene, id, { name, reference: { ...reference, tag: temporary }, context });
    children.push({ facts, platform, id });
  }
  const bytes = Buffer.from(JSON.stringify(indexOf(children)));
  const access = new RegistryAccess(registry, scene.host.assignment.logins, context.signal);
  const digest = await access.putManifest(repository, tag ?? 'latest', { mediaType: indexType, bytes });
  const sizeBytes = children.reduce((sum, { facts }) => sum + facts.sizeBytes, bytes.length);
  const platforms = children.map(({ platform }) => platform);
  const facts = { digest, mediaType: indexType, manifestSize: bytes.length, sizeBytes, platforms };
  return { output: outputOf(reference, facts), facts, images: children };
}

function indexOf(children: readonly { readonly facts: ImageFacts; readonly platform: string }[]): object {
  return {
    schemaVersion: 2,
    mediaType: indexType,
    manifests: children.map(({ facts, platform }) => {
      const [os, architecture, variant] = platform.split('/');
      return {
        mediaType: facts.mediaType,
        digest: facts.digest,
        size: facts.manifestSize,
        platform: { architecture, os, ...(variant !== undefined && { variant }) },
      };
    }),
  };
}
