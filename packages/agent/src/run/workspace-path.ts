import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { posix, relative, resolve, sep } from 'node:path';
import { workspace as mountPoint } from '@berth/task-file';

/**
 * Where something that a task names lies on this machine. Relative names are below `from`, a folder as steps see it.
 * @throws Error when it does not exist, or is not in the workspace once links are followed
 */
export async function pathInWorkspace(workspace: string, name: string, from = mountPoint): Promise<string> {
  const seen = posix.resolve(from.replace(/^[A-Za-z]:/, '').replaceAll('\\', '/'), name);
  const below = posix.relative(mountPoint, seen);
  if (below === '..' || below.startsWith('../')) throw new Error(`${name} is not in the workspace`);
  const real = await realpath(resolve(workspace, below)).catch(() => undefined);
  if (real === undefined) throw new Error(`${name} does not exist in the source`);
  const fromRoot = relative(await realpath(workspace), real);
  if (fromRoot === '..' || fromRoot.startsWith(`..${sep}`)) throw new Error(`${name} leads out of the workspace`);
  return real;
}

/** A text of the workspace. @throws Error when it is not there, no file, or longer than `maxBytes` */
export async function readWorkspaceFile(workspace: string, name: string, maxBytes = 1024 * 1024): Promise<string> {
  const path = await pathInWorkspace(workspace, name);
  // A named pipe would wait for its other end.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error(`${name} is no file`);
    if (facts.size > maxBytes) throw new Error(`${name} has more than ${maxBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
