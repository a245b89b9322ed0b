import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { type Dockerfile, type DockerfileChoice, chooseDockerfile } from './choose-dockerfile.ts';
import type { ContextEntry } from './context-entry.ts';
import { type IgnoreRules, noIgnoreFile, parseIgnoreFile } from './ignore-rules.ts';
import { unreadable, walkFolder } from './walk-folder.ts';

/** A folder that is ready to be packed. */
export interface PreparedFolder {
  readonly folder: string;
  /** The name that the Dockerfile has in the archive. */
  readonly dockerfile: string | undefined;
  /** Walks the folder as it is asked for more. */
  readonly entries: AsyncIterable<ContextEntry>;
}

export interface FolderOptions {
  /** Absent: nothing is going to be built from a Dockerfile of the folder itself. */
  readonly dockerfile?: DockerfileChoice;
  /** Paths that are sent whatever .dockerignore says: Dockerfiles of a task file. */
  readonly needed?: readonly string[];
  readonly onPassedOver: (path: string) => void;
}

const ignoreFileName = '.dockerignore';

/** @throws CommandError when it is no folder, has no Dockerfile, or a .dockerignore that cannot be read */
export async function prepareFolder(path: string, options: FolderOptions): Promise<PreparedFolder> {
  const folder = realFolder(path);
  const choice = options.dockerfile;
  const dockerfile = choice === undefined ? undefined : await chooseDockerfile(folder, choice);
  const ignoring = ignoreFileOf(folder, dockerfile);
  const text = ignoring === undefined ? '' : await readText(ignoring);
  const added = dockerfile === undefined || dockerfile.isInside ? [] : addedFiles(dockerfile, text);
  const inside = dockerfile?.isInside === true ? [dockerfile.path, `${dockerfile.path}.dockerignore`] : [];
  const rules = [ignoreFileName, ...inside, ...(options.needed ?? [])].reduce<IgnoreRules>(
    (before, each) => before.including(each),
    ignoring === undefined ? noIgnoreFile() : parseIgnoreFile(text, ignoring),
  );
  const walk = { folder, rules, onPassedOver: options.onPassedOver };
  return {
    folder,
    dockerfile: dockerfile?.isInside === true ? dockerfile.path : added[0]?.path,
    entries: joined(added, walkFolder(walk)),
  };
}

function realFolder(path: string): string {
  try {
    const folder = realpathSync(path);
    if (statSync(folder).isDirectory()) return folder;
  } catch (error) {
    throw new CommandError(`there is no folder ${path}`, 'name a folder, a git repository, an archive or oci://…', {
      cause: error,
    });
  }
  throw new CommandError(`${path} is no folder`, 'name the folder that it is in, and the file with --file');
}

/** The one beside the Dockerfile goes before the one of the folder, as with BuildKit. */
function ignoreFileOf(folder: string, dockerfile: Dockerfile | undefined): string | undefined {
  const own = dockerfile?.isInside === true ? join(folder, `${dockerfile.path}.dockerignore`) : dockerfile?.ignoreFile;
  return [own, join(folder, ignoreFileName)].find((path) => path !== undefined && existsSync(path));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * A Dockerfile from elsewhere gets a name that nothing else has, and an ignore file beside it that keeps both out of what
 * `COPY .` takes.
 */
function addedFiles({ bytes }: Extract<Dockerfile, { isInside: false }>, ignoreText: string): readonly ContextEntry[] {
  const name = `.berth-${randomBytes(6).toString('hex')}.Dockerfile`;
  const ignored = Buffer.from(`${ignoreText}\n${name}\n${name}.dockerignore\n`);
  const file = (path: string, content: Buffer): ContextEntry => ({
    path,
    mode: 0o644,
    modifiedAt: new Date(0),
    content: { kind: 'bytes', bytes: content },
  });
  return [file(name, bytes), file(`${name}.dockerignore`, ignored)];
}

async function* joined(first: readonly ContextEntry[], then: AsyncIterable<ContextEntry>): AsyncGenerator<ContextEntry> {
  yield* first;
  yield* then;
}
