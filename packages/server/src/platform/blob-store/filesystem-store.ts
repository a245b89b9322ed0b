import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BlobStore,
  PartExistsError,
  PartMissingError,
  type PartName,
  type PartReader,
  type PartWriter,
} from './blob-store.ts';
import { openFileReader } from './filesystem-reader.ts';
import { FilesystemWriter, asStoreError, codeOf, ignoreMissing } from './filesystem-writer.ts';
import { FolderSync, syncFolder } from './folder-sync.ts';
import { Semaphore } from './semaphore.ts';

const namePattern = /^[0-9a-f]{32}$/;
const shards: readonly string[] = Array.from({ length: 256 }, (_, shard) => shard.toString(16).padStart(2, '0'));
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;

/** How many files are removed at once. */
const deletesInFlight = 16;
const maxBytesInFlight = 32 * 1024 * 1024;

/**
 * Parts as files: `<folder>/<first two digits>/<name>`. A file gets its final name at once and is never renamed; that it
 * is whole is the database's knowledge. The folder may be a link, its content must not hold any.
 */
export async function openFilesystemStore(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const existing = new Map((await readdir(folder, { withFileTypes: true })).map((entry) => [entry.name, entry]));
  const missing = shards.filter((shard) => !existing.has(shard));
  for (const shard of shards) {
    if (existing.get(shard)?.isDirectory() === false)
      throw new Error(`${join(folder, shard)} is not a folder: parts never follow links`);
  }
  await Promise.all(missing.map((shard) => mkdir(join(folder, shard), { recursive: true, mode: 0o700 })));
  if (missing.length > 0) await syncFolder(folder);
  return new FilesystemStore(folder);
}

class FilesystemStore implements BlobStore {
  readonly properties = { kind: 'filesystem', isDurable: true } as const;
  readonly #folder: string;
  readonly #folderSync = new FolderSync();
  readonly #bytesInFlight = new Semaphore(maxBytesInFlight);
  /** Names whose file is not whole yet. A crash forgets them; the database does not count such a part as durable. */
  readonly #unfinished = new Set<PartName>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async create(name: PartName, signal?: AbortSignal): Promise<PartWriter> {
    const path = this.#path(name);
    signal?.throwIfAborted();
    let file: FileHandle;
    try {
      file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw new PartExistsError(`the part ${name} exists`, { cause: error });
      throw asStoreError(error);
    }
    this.#unfinished.add(name);
    return new FilesystemWriter({
      file,
      path,
      bytesInFlight: this.#bytesInFlight,
      syncFolder: () => this.#folderSync.sync(this.#shard(name)),
      onEnd: () => this.#unfinished.delete(name),
    });
  }

  async open(name: PartName, signal?: AbortSignal): Promise<PartReader> {
    const path = this.#path(name);
    signal?.throwIfAborted();
    if (this.#unfinished.has(name)) throw new PartMissingError(`the part ${name} is not committed`);
    try {
      return await openFileReader(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw new PartMissingError(`the part ${name} is missing`, { cause: error });
      throw error;
    }
  }

  async deleteMany(names: readonly PartName[]): Promise<void> {
    const paths = names.map((name) => this.#path(name));
    for (let start = 0; start < paths.length; start += deletesInFlight) {
      await Promise.all(paths.slice(start, start + deletesInFlight).map((path) => unlink(path).catch(ignoreMissing)));
    }
    // The caller forgets the names next: after a power cut no file may be back that nobody knows.
    const touched = [...new Set(names.map((name) => this.#shard(name)))];
    for (let start = 0; start < touched.length; start += deletesInFlight) {
      await Promise.all(touched.slice(start, start + deletesInFlight).map((shard) => this.#folderSync.sync(shard)));
    }
  }

  async check(): Promise<void> {
    const path = join(this.#folder, 'check');
    try {
      const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
      await file.writeFile('ok').finally(() => file.close());
      await readFile(path);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  close(): Promise<void> {
    return this.#folderSync.close();
  }

  #shard(name: PartName): string {
    return join(this.#folder, name.slice(0, 2));
  }

  #path(name: PartName): string {
    if (!namePattern.test(name)) throw new RangeError('not a part name');
    return join(this.#shard(name), name);
  }
}
