import { type Stats, chmodSync, linkSync, lstatSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SourceError } from './source-error.ts';

const maxPathLength = 4096;
/** Each level is looked at for each entry. */
const maxDepth = 200;

/** Makes files in a folder, and never anywhere else: no part of a path may be a link. Nobody else may write there meanwhile. */
export class SafeTree {
  readonly #root: string;
  /** The folder that was looked at last: entries come folder by folder. */
  #known = '';

  constructor(root: string) {
    this.#root = root;
  }

  /** The names that lead from the root to where an archive wants something. @throws SourceError when it wants it elsewhere */
  placeOf(path: string): readonly string[] {
    const isWindows = process.platform === 'win32';
    const text = isWindows ? path.replaceAll('\\', '/') : path;
    const names = text.split('/').filter((name) => name !== '' && name !== '.');
    // Python's tarfile, and so the Azure CLI, calls the packed folder itself "/".
    const isFolderItself = names.length === 0;
    if ((text.startsWith('/') && !isFolderItself) || (isWindows && /^[A-Za-z]:/.test(text))) throw refused(path, 'is absolute');
    if (names.includes('..')) throw refused(path, 'leads out of the folder with ..');
    if (path.includes('\0') || path.length > maxPathLength) throw refused(path, 'is no path');
    if (names.length > maxDepth) throw refused(path, `is more than ${maxDepth} folders deep`);
    if (isWindows && names.some((name) => /[<>:"|?*]|[ .]$/.test(name)))
      throw refused(path, 'has a name that Windows does not have');
    return names;
  }

  /** Makes room for something new, with the folders above it; what was there goes. Returns its path. @throws SourceError */
  clear(place: readonly string[]): string {
    if (place.length === 0) throw refused('.', 'would replace the folder itself');
    this.#makeParents(place);
    const path = join(this.#root, ...place);
    const facts = look(path);
    if (facts === undefined) return path;
    if (!facts.isDirectory()) unlinkSync(path);
    else this.#removeEmpty(path, place);
    return path;
  }

  makeFolder(place: readonly string[], mode: number): void {
    if (place.length === 0) return;
    this.#makeParents(place);
    const path = join(this.#root, ...place);
    const facts = look(path);
    if (facts?.isDirectory() !== true) {
      if (facts !== undefined) unlinkSync(path);
      mkdirSync(path);
    }
    // The agent has to write into it, and to delete it.
    chmodSync(path, mode | 0o700);
  }

  makeSymlink(place: readonly string[], target: string): void {
    const path = this.clear(place);
    if (target === '' || target.includes('\0') || target.length > maxPathLength)
      throw refused(place.join('/'), 'is a link to nothing');
    symlinkSync(target, path);
  }

  makeHardLink(place: readonly string[], target: readonly string[]): void {
    const source = join(this.#root, ...target);
    this.#requireFolders(target);
    if (target.join('/') === place.join('/')) return;
    if (look(source)?.isFile() !== true)
      throw refused(place.join('/'), `is a hard link to ${target.join('/')}, which is no file of the archive`);
    linkSync(source, this.clear(place));
  }

  #removeEmpty(path: string, place: readonly string[]): void {
    try {
      rmdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      throw refused(place.join('/'), 'is a file, and a folder with files in it');
    }
    this.#known = '';
  }

  #makeParents(place: readonly string[]): void {
    const parent = place.slice(0, -1).join('/');
    if (parent === this.#known) return;
    let path = this.#root;
    for (const name of place.slice(0, -1)) {
      path = join(path, name);
      const facts = look(path);
      if (facts === undefined) mkdirSync(path);
      else if (!facts.isDirectory()) throw refused(place.join('/'), throughWhat(facts));
    }
    this.#known = parent;
  }

  #requireFolders(place: readonly string[]): void {
    let path = this.#root;
    for (const name of place.slice(0, -1)) {
      path = join(path, name);
      const facts = look(path);
      if (facts?.isDirectory() !== true)
        throw refused(place.join('/'), facts === undefined ? 'does not exist' : throughWhat(facts));
    }
  }
}

function throughWhat(facts: Stats): string {
  return facts.isSymbolicLink() ? 'goes through a symbolic link' : 'goes through a file as if it were a folder';
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function refused(path: string, why: string): SourceError {
  const shown = JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
  return new SourceError(`the archive's entry ${shown} ${why}: it is not unpacked`);
}
