import { readFile } from 'node:fs/promises';
import type { BaseImageUse } from '@berth/api';
import { type BaseImage, parseImageReference, scanDockerfile } from '@berth/task-file';
import type { NamedImage } from '../engine/index.ts';
import { ImageMissing, pullImage } from './pull-image.ts';
import type { BuiltImage } from './run-images.ts';
import type { AttemptContext, RunScene } from './run-scene.ts';
import { RegistryAccess } from './registry/registry-access.ts';

/** What a Dockerfile builds on, fetched. */
export interface FetchedBases {
  readonly uses: readonly BaseImageUse[];
  /** As the engine has them now. */
  readonly images: readonly NamedImage[];
}

export interface BaseScan {
  readonly dockerfile: string;
  /** As the user knows it. */
  readonly dockerfileName: string;
  readonly arguments: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platform: string | undefined;
}

/**
 * Fetches what a Dockerfile builds on, so that the engine uses what the registry has now and the digest that is recorded is that
 * of the image that is used.
 * @throws ImageMissing with the line of the Dockerfile
 */
export async function fetchBaseImages(
  scene: RunScene,
  scan: BaseScan,
  context: Pick<AttemptContext, 'signal' | 'say'>,
): Promise<FetchedBases> {
  const { os, architectures } = scene.engine.describe();
  const { images, warnings } = scanDockerfile(await readFile(scan.dockerfile, 'utf8'), {
    target: scan.target,
    arguments: scan.arguments,
    platform: scan.platform ?? `${os.toLowerCase()}/${architectures[0]}`,
    buildPlatform: `${os.toLowerCase()}/${architectures[0]}`,
  });
  for (const warning of warnings) context.say(`Warning: ${scan.dockerfileName}: ${warning}`);
  const fetched: FetchedBases[] = [];
  for (const base of images) fetched.push(await fetchBase(scene, { base, scan, context }));
  return { uses: fetched.flatMap(({ uses }) => uses), images: fetched.flatMap((each) => each.images) };
}

interface NamedBase {
  readonly base: BaseImage;
  readonly platform: string | undefined;
}

interface BaseFetch {
  readonly base: BaseImage;
  readonly scan: BaseScan;
  readonly context: Pick<AttemptContext, 'signal' | 'say'>;
}

async function fetchBase(scene: RunScene, { base, scan, context }: BaseFetch): Promise<FetchedBases> {
  const built = scene.images.find(base.name);
  const platform = base.platform ?? scan.platform;
  if (built !== undefined) return reuse(scene, built, { base, platform, signal: context.signal });
  const { registry, repository, tag, digest: pinned } = base.reference;
  let digest: string | undefined;
  let id: string;
  try {
    id = await pullImage(scene, base.name, { ...context, options: { platform } });
    digest = pinned ?? (await usedDigest(scene, id, { base, signal: context.signal }));
  } catch (error) {
    if (!(error instanceof ImageMissing)) throw error;
    throw new ImageMissing(`${scan.dockerfileName}:${base.line}: ${error.message}`);
  }
  if (digest === undefined) {
    context.say(`Warning: ${scan.dockerfileName}:${base.line}: ${base.name} has no digest of a registry; it is not watched`);
    return { uses: [], images: [namedImage({ base, platform }, id)] };
  }
  context.say(`${base.role === 'runtime' ? 'Base image' : 'Build-time image'} ${base.name} is ${digest}`);
  const use = { role: base.role, registry, repository, tag, digest, ...(platform !== undefined && { platform }) };
  return { uses: [use], images: [namedImage({ base, platform }, id)] };
}

function namedImage({ base: { name, reference }, platform }: NamedBase, id: string): NamedImage {
  const { registry, repository, digest } = reference;
  return digest === null
    ? { id, name, platform, pinnedAt: undefined }
    : { id, name: `${registry}/${repository}@${digest}`, platform, pinnedAt: registry };
}

/** One that the run built itself: its own bases count, unless it was pushed and so can be watched. */
async function reuse(
  { engine }: RunScene,
  built: BuiltImage,
  { base, platform, signal }: NamedBase & { readonly signal: AbortSignal },
): Promise<FetchedBases> {
  const image = built.images.find((each) => each.platform === platform) ?? built.images[0];
  // Another run may have given the name to an image of its own meanwhile.
  if (image !== undefined) await engine.tag(image.id, base.name, signal);
  const images = image === undefined ? [] : [namedImage({ base, platform }, image.id)];
  const pushed = built.outputs.find(
    (output) =>
      output.registry === base.reference.registry &&
      output.repository === base.reference.repository &&
      output.tag === base.reference.tag,
  );
  if (pushed === undefined)
    return { uses: built.bases.map((each) => (base.role === 'runtime' ? each : { ...each, role: base.role })), images };
  const { registry, repository, tag, digest } = pushed;
  return { uses: [{ role: base.role, registry, repository, tag, digest, ...(platform !== undefined && { platform }) }], images };
}

/** The digest that the registry knows a pulled image by: of the index, where its name stands for one. */
async function usedDigest(
  { engine, host }: RunScene,
  id: string,
  { base, signal }: { readonly base: BaseImage; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { registry, repository, tag } = base.reference;
  const format =
    engine.name === 'buildah'
      ? undefined
      : await engine.query(['image', 'inspect', '--format', '{{json .RepoDigests}}', id], { signal });
  const names = format === undefined ? [] : ((JSON.parse(format) as readonly string[] | null) ?? []);
  const known = names.flatMap((name) => {
    const reference = parseImageReference(name);
    return reference?.registry === registry && reference.repository === repository ? (reference.digest ?? []) : [];
  });
  if (known.length === 1) return known[0];
  // Several names, or none: the registry says which of them the tag is.
  const access = new RegistryAccess(registry, host.assignment.logins, signal);
  const current = await access.manifest(repository, tag ?? 'latest').catch(() => undefined);
  signal.throwIfAborted();
  if (current !== undefined && (known.length === 0 || known.includes(current.digest))) return current.digest;
  return known[0];
}
