import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/index.ts';
import type { BuildCache } from './build-arguments.ts';
import type { RunScene } from './run-scene.ts';

export interface BuildTemporary {
  /** Builds with it keep their cache mounts apart from all others. */
  readonly engine: Engine;
  close(): void;
}

/**
 * Podman and buildah keep cache mounts of all builds under their names in the folder for temporary files: a stranger's build
 * would find there, and could change, what others rely on. So each space has a folder of its own; one that nobody shares is the run's.
 */
export async function openTemporary({ host, engine }: RunScene, { space, isShared }: BuildCache): Promise<BuildTemporary> {
  if (engine.name === 'docker') return { engine, close: () => {} };
  if (isShared) {
    const { path, close } = await host.openCache(space);
    return { engine: engine.withTemporaryFolder(path), close };
  }
  const path = join(host.folder, 'temporary');
  await mkdir(path, { recursive: true, mode: 0o700 });
  return { engine: engine.withTemporaryFolder(path), close: () => {} };
}
