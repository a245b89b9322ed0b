import { createHash } from 'node:crypto';
import type { BuildCommand } from '@berth/task-file';
import type { EngineName } from '../engine/index.ts';

export interface BuildScene {
  readonly engine: EngineName;
  readonly isWindows: boolean;
  /** On this machine. */
  readonly context: string;
  readonly dockerfile: string;
  /** Gets the image's id, or what `readImageId` finds it in. */
  readonly idFile: string;
  readonly idsAreManifests: boolean;
  readonly tags: readonly string[];
  readonly platform: string | undefined;
  readonly argumentFlags: readonly string[];
  readonly passed: readonly string[];
  /** Files by the id of the secret. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly plainHttpFlags: readonly string[];
  readonly cache: BuildCache;
  /** Podman and buildah: whether they build in a store for those who share it alone. */
  readonly keepsLayers: boolean;
}

/** Who shares what was built before. */
export interface BuildCache {
  /** A secret word that stands for those who share it. */
  readonly space: string;
  readonly isUsed: boolean;
  /** Whether it outlives the run. */
  readonly isShared: boolean;
}

/** Builds with one cache key share a cache; all others have one for their run, or none. */
export function buildCache(options: {
  readonly agentId: string;
  readonly registry: string;
  readonly runId: string;
  readonly cacheKey: string;
  readonly isTrusted: boolean;
  readonly isShared: boolean;
}): BuildCache {
  const { agentId, registry, runId, cacheKey, isTrusted, isShared } = options;
  const outlivesRun = isShared && isTrusted && cacheKey !== '';
  const owner = outlivesRun ? ['key', cacheKey] : ['run', runId];
  const space = createHash('sha256')
    .update(JSON.stringify([agentId, registry, ...owner]))
    .digest('hex')
    .slice(0, 32);
  return { space, isUsed: isTrusted, isShared: outlivesRun };
}

/** The arguments of the engine's client for one build. */
export function buildArguments(build: BuildCommand, scene: BuildScene): readonly string[] {
  const isDocker = scene.engine === 'docker';
  return [
    scene.engine === 'buildah' ? 'bud' : 'build',
    ...scene.passed,
    ...(isDocker && !scene.isWindows ? ['--progress=plain'] : []),
    `--file=${scene.dockerfile}`,
    `--${scene.idsAreManifests ? 'metadata-file' : 'iidfile'}=${scene.idFile}`,
    ...scene.tags.map((tag) => `--tag=${tag}`),
    ...(scene.platform === undefined ? [] : [`--platform=${scene.platform}`]),
    ...(build.target === undefined ? [] : [`--target=${build.target}`]),
    ...build.labels.flatMap((label) => ['--label', label]),
    ...scene.argumentFlags,
    ...[...scene.secrets].map(([id, path]) => `--secret=id=${id},src=${path}`),
    ...cacheFlags(build, scene),
    ...(isDocker ? [] : ['--http-proxy=false', ...scene.plainHttpFlags]),
    scene.context,
  ];
}

/**
 * BuildKit keeps steps by what they are and see, and cache mounts by their names. A host name of its own, which is part of what a
 * RUN sees, and a space for the names keep apart what is not to be shared. Podman and Buildah find steps by their text alone, so they
 * do all of them anew unless they have a store that is told apart (`openBuildSpace`).
 */
function cacheFlags({ noCache }: BuildCommand, { engine, isWindows, cache, keepsLayers }: BuildScene): readonly string[] {
  if (engine !== 'docker') return [...(keepsLayers ? ['--layers'] : []), ...(noCache || !keepsLayers ? ['--no-cache'] : [])];
  if (isWindows) return noCache || !cache.isUsed ? ['--no-cache'] : [];
  return [
    ...(noCache || !cache.isUsed ? ['--no-cache'] : []),
    '--add-host',
    `${cache.space}.cache.invalid:127.0.0.1`,
    '--build-arg',
    `BUILDKIT_CACHE_MOUNT_NS=${cache.space}`,
  ];
}
