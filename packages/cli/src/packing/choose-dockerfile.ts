import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CommandError } from '../command-error.ts';

/** Where the Dockerfile of a folder is. */
export type Dockerfile =
  /** In the folder: its path there, with slashes. */
  | { readonly isInside: true; readonly path: string }
  | { readonly isInside: false; readonly name: string; readonly bytes: Buffer; readonly ignoreFile: string | undefined };

export interface DockerfileChoice {
  /** Of the command line: relative to where it was started, as with Docker, or to the context, as with `az`; `-` is the input. */
  readonly wanted: string | undefined;
  readonly readInput: () => Promise<Buffer>;
}

/** @param folder real path of the context @throws CommandError when there is none */
export async function chooseDockerfile(folder: string, { wanted, readInput }: DockerfileChoice): Promise<Dockerfile> {
  if (wanted === '-') return { isInside: false, name: 'Dockerfile', bytes: await readInput(), ignoreFile: undefined };
  const candidates =
    wanted === undefined
      ? ['Dockerfile', 'dockerfile'].map((name) => join(folder, name))
      : [resolve(wanted), resolve(folder, wanted)];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw new CommandError(
      wanted === undefined ? `${folder} has no Dockerfile` : `there is no Dockerfile ${wanted}, neither here nor in ${folder}`,
      'name the Dockerfile with --file, or another folder',
    );
  }
  const path = relative(folder, realpathSync(found)).split(sep).join('/');
  if (path !== '..' && !path.startsWith('../') && !isAbsolute(path)) return { isInside: true, path };
  const ignoreFile = `${found}.dockerignore`;
  return {
    isInside: false,
    name: basename(found),
    bytes: await readDockerfile(found),
    ignoreFile: existsSync(ignoreFile) ? ignoreFile : undefined,
  };
}

async function readDockerfile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new CommandError(`the Dockerfile ${path} cannot be read`, 'make it readable', { cause: error });
  }
}
