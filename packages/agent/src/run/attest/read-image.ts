import { EngineError } from '../../engine/index.ts';
import type { RunScene } from '../run-scene.ts';
import { ContentsUnreadable, type ImageContents } from './image-contents.ts';
import { listContents } from './list-contents.ts';
import { type TellingFile, readFileTree } from './read-file-tree.ts';

/**
 * What is in an image of the engine, without running anything of it: a container is made, never started, and its files exported.
 * @throws EngineError, ContentsUnreadable
 */
export async function readImage(
  { engine, resources }: Pick<RunScene, 'engine' | 'resources'>,
  id: string,
  signal: AbortSignal,
): Promise<ImageContents> {
  resources.useEngine();
  // Images may have no command, and an engine wants one.
  const args = ['create', '--pull', 'never', '--network', 'none', ...resources.labels, id, '/never-started'];
  const container = (await engine.query(args, { signal })).trim().split('\n').at(-1) ?? '';
  try {
    let files: readonly TellingFile[] = [];
    // Podman's export opens its own output by name, which it cannot when that is a socket.
    const take = engine.name === 'podman' ? ['cp', `${container}:/.`, '-'] : ['export', container];
    const { exitCode, lastLines } = await engine.command(take, {
      signal,
      readOutput: async (output) => {
        files = await readFileTree(output);
      },
    });
    if (exitCode !== 0) throw new EngineError(lastLines.join('\n') || `${engine.name} did not export the files`);
    return listContents(files);
  } catch (error) {
    // What an aborted export handed out is damaged for this reason.
    signal.throwIfAborted();
    throw error instanceof ContentsUnreadable || error instanceof EngineError ? error : unreadable(error);
  } finally {
    await engine.command(['rm', '--force', '--volumes', container], { signal: AbortSignal.timeout(60_000) });
  }
}

function unreadable(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? new ContentsUnreadable(`its files cannot be read: ${error.message}`) : error;
}
