import { lstat, readdir, readlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { ContextEntry } from './context-entry.ts';
import type { FolderMatches, IgnoreRules } from './ignore-rules.ts';

export interface Walk {
  readonly folder: string;
  readonly rules: IgnoreRules;
  /** Hears of what has no place in an archive: sockets, pipes and devices. */
  readonly onPassedOver: (path: string) => void;
}

/** A folder on the way down. One that is left out itself comes when something in it does. */
interface OpenFolder {
  readonly entry: ContextEntry;
  isGiven: boolean;
}

/**
 * What a folder holds and its rules do not leave out, in the order of names, each folder before what is in it. Links are not
 * followed. @throws CommandError when something cannot be read
 */
export async function* walkFolder(walk: Walk): AsyncGenerator<ContextEntry> {
  yield* walkInto(walk, { path: '', matches: [], parents: [] });
}

interface Place {
  readonly path: string;
  readonly matches: FolderMatches;
  readonly parents: readonly OpenFolder[];
}

async function* walkInto(walk: Walk, { path: parent, matches, parents }: Place): AsyncGenerator<ContextEntry> {
  for (const name of await namesIn(join(walk.folder, parent))) {
    const path = parent === '' ? name : `${parent}/${name}`;
    const match = walk.rules.match(path, matches);
    const stats = match.isIgnored && !walk.rules.mayBringBack(path) ? undefined : await statsOf(join(walk.folder, path));
    if (stats === undefined) continue;
    const entry = await entryOf(walk, path, stats);
    if (entry === undefined) continue;
    if (!match.isIgnored) {
      yield* given(parents);
      yield entry;
    }
    if (entry.content.kind !== 'folder') continue;
    const own = { entry, isGiven: !match.isIgnored };
    yield* walkInto(walk, { path, matches: match.matches, parents: [...parents, own] });
  }
}

function* given(parents: readonly OpenFolder[]): Generator<ContextEntry> {
  for (const folder of parents) {
    if (folder.isGiven) continue;
    folder.isGiven = true;
    yield folder.entry;
  }
}

async function entryOf({ folder, onPassedOver }: Walk, path: string, stats: Stats): Promise<ContextEntry | undefined> {
  const common = { path, mode: stats.mode & 0o7777, modifiedAt: stats.mtime };
  const file = join(folder, path);
  if (stats.isDirectory()) return { ...common, content: { kind: 'folder' } };
  if (stats.isFile()) return { ...common, content: { kind: 'file', file } };
  if (stats.isSymbolicLink()) return { ...common, content: { kind: 'link', target: await reading(file, () => readlink(file)) } };
  onPassedOver(path);
  return undefined;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await reading(folder, () => readdir(folder));
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}

/** Undefined: it has gone since its folder was read. */
async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    // A name that is no UTF-8 comes back with another sign, and is not found by it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !path.includes('\uFFFD')) return undefined;
    throw unreadable(path, error);
  }
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** @param error of the file system */
export function unreadable(path: string, error: unknown): CommandError {
  const { code = 'no reason is known' } = error as NodeJS.ErrnoException;
  return new CommandError(
    `${path} cannot be read (${code})`,
    'make it readable, or name it in .dockerignore if it is not needed',
    { cause: error },
  );
}
