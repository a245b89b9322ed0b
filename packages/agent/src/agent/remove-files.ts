import { basename, dirname } from 'node:path';
import { type Engine, removeMounted } from '../engine/index.ts';
import { removeTree } from './work-folder.ts';

const patienceMs = 10 * 60_000;
/** Of the machine; they hold what removes files, and what that needs. */
const programFolders = ['/bin', '/usr', '/lib', '/lib64'];

/** Removes a folder with all that is in it, also mounts, and what programs in containers made as users that this one may not act for. */
export async function removeFiles(path: string, engine: Engine): Promise<void> {
  try {
    await removeTree(path);
  } catch (error) {
    if (process.platform === 'win32') throw error;
    await removeAsEngine(path, engine);
  }
}

/** The engine may act as whom its containers ran as: rootless podman and buildah by their own command, docker in a container. */
export async function removeAsEngine(path: string, engine: Engine): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs);
  if (engine.name !== 'docker') {
    await removeMounted(path, engine, signal);
    return;
  }
  // There may be no image with such a program: an empty one will do, with those of the machine.
  const image = (await engine.query(['import', '-'], { input: emptyTar, signal })).trim();
  try {
    const mounts = [...programFolders.map((each) => `${each}:${each}:ro`), `${dirname(path)}:/files`];
    const volumes = mounts.flatMap((mount) => ['--volume', mount]);
    const remove = ['/bin/rm', '-rf', '--', `/files/${basename(path)}`];
    await engine.query(['run', '--rm', '--network', 'none', ...volumes, image, ...remove], { signal });
  } finally {
    await engine.removeImages([image], signal);
  }
}

const emptyTar = '\0'.repeat(1024);
