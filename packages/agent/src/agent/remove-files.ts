import type { Engine } from '../engine/index.ts';
import { removeTree } from './work-folder.ts';

const patienceMs = 10 * 60_000;

/**
 * Removes a folder with all that is in it, also what programs in containers made as other users: a rootless podman or buildah
 * maps them to users that it alone may act as.
 */
export async function removeFiles(path: string, engine: Engine): Promise<void> {
  try {
    await removeTree(path);
  } catch (error) {
    if (engine.name === 'docker') throw error;
    await engine.query(['unshare', 'rm', '-rf', '--', path], { signal: AbortSignal.timeout(patienceMs) });
  }
}
