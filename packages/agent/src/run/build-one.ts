import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BuildCommand, type Step, findHiddenInput } from '@berth/task-file';
import type { NamedImage } from '../engine/index.ts';
import { type BuildCache, buildArguments, buildCache } from './build-arguments.ts';
import { type BuildSpace, openBuildSpace } from './build-space.ts';
import { passArguments } from './child-values.ts';
import type { Attempt, AttemptContext, RunScene } from './run-scene.ts';

/** What a build step builds from, found and allowed. */
export interface BuildPlace {
  readonly build: BuildCommand;
  readonly context: string;
  readonly dockerfile: string;
  readonly dockerfileName: string;
  readonly arguments: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, string>;
  readonly passed: readonly string[];
}

interface OneBuild {
  readonly place: BuildPlace;
  readonly context: AttemptContext;
  readonly platform: string | undefined;
  /** What it builds on, as far as that could be found out. */
  readonly on: readonly NamedImage[];
  /** Whether the image gets the names of the build, which otherwise are those of an index. */
  readonly isOnly: boolean;
}

interface BuildEnd {
  /** As the engine knows the image; undefined: the build failed. */
  readonly id: string | undefined;
  readonly attempt: Attempt;
}

/** Builds one image, for one platform. @throws EngineError */
export async function buildOne(scene: RunScene, step: Step, one: OneBuild): Promise<BuildEnd> {
  const { place, context, platform } = one;
  const { build } = place;
  const isEmulated = platform !== undefined && !scene.engine.describe().architectures.includes(platform.split('/')[1] ?? '');
  const hint = `this agent does not run ${platform} programs: install qemu-user-static and register it in binfmt_misc with the flag F`;
  if (isEmulated) context.say(`Warning: ${hint}`);
  context.say(
    `Building ${build.tags.join(', ') || 'an image without a name'}${platform === undefined ? '' : ` for ${platform}`}`,
  );
  const cache = cacheOf(scene, step);
  const keepsLayers = await canKeepLayers(scene, { place, cache, context });
  const layers = !keepsLayers ? 'none' : build.noCache ? 'begun-anew' : 'kept';
  const space = await openBuildSpace(scene, { cache, layers, platform, context });
  try {
    const { id, attempt } = await buildIn(space, scene, step, { ...one, cache });
    return { id, attempt: { ...attempt, ...(isEmulated && id === undefined && { reason: hint }) } };
  } finally {
    space.close();
  }
}

function cacheOf({ host }: RunScene, { action }: Step): BuildCache {
  const { run, cacheKey, isTrusted } = host.assignment;
  const isShared = action.kind === 'build' && action.isCached;
  return buildCache({ agentId: host.agentId, registry: run.registry, runId: run.id, cacheKey, isTrusted, isShared });
}

/** Podman and buildah: whether steps may be found by their texts. */
async function canKeepLayers(
  { engine }: RunScene,
  { place, cache, context }: { readonly place: BuildPlace; readonly cache: BuildCache; readonly context: AttemptContext },
): Promise<boolean> {
  if (engine.name === 'docker' || !cache.isShared) return false;
  const hidden = findHiddenInput(await readFile(place.dockerfile, 'utf8'));
  if (hidden === undefined) return true;
  context.say(`All layers are built anew: ${place.dockerfileName}:${hidden.line}: ${hidden.reason}`);
  return false;
}

async function buildIn(
  { engine, store }: BuildSpace,
  scene: RunScene,
  step: Step,
  { place, context, platform, on, isOnly, cache }: OneBuild & { readonly cache: BuildCache },
): Promise<BuildEnd> {
  const { host } = scene;
  const { build } = place;
  const { signal } = context;
  const { flags, client } = passArguments(place.arguments);
  const idFile = join(host.folder, 'ids', `${step.id.replaceAll(/[^\w.-]/g, '-')}-${(platform ?? 'own').replaceAll('/', '-')}`);
  await mkdir(dirname(idFile), { recursive: true });
  const { idsAreManifests, os } = engine.describe();
  const names = isOnly ? build.tags : [];
  const args = buildArguments(build, {
    engine: engine.name,
    isWindows: os === 'Windows',
    context: place.context,
    dockerfile: place.dockerfile,
    idFile,
    idsAreManifests,
    tags: store === undefined ? names : [],
    platform,
    argumentFlags: flags,
    passed: place.passed,
    secrets: place.secrets,
    plainHttpFlags: engine.plainHttpFlags(host.assignment.run.registry),
    cache,
    keepsLayers: store !== undefined,
  });
  await store?.bring(on, signal);
  const { exitCode, lastLines } = await engine.command(args, {
    environment: client,
    signal,
    onLine: (stream, line) => context.line(stream, line),
  });
  signal.throwIfAborted();
  const attempt: Attempt = { exitCode, lastLines };
  if (exitCode !== 0) return { id: undefined, attempt };
  const id = readImageId(await readFile(idFile, 'utf8'), idsAreManifests);
  await store?.handOver(id, names, signal);
  return { id, attempt };
}

/** Clients write the digest of the configuration into the file for ids whichever the store knows; that of the manifest is in the metadata. */
function readImageId(text: string, idsAreManifests: boolean): string {
  if (!idsAreManifests) return text.trim();
  const digest: unknown = (JSON.parse(text) as Readonly<Record<string, unknown>>)['containerimage.digest'];
  if (typeof digest !== 'string') throw new Error('cannot be found again: the engine does not say its digest');
  return digest;
}
