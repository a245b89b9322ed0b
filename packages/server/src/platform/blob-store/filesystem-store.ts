import { constants } from 'node:fs';
import { type FileHandle, access, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, PartExistsError, PartMissingError, type PartName, type PartReader, type PartWriter } from './blob-store.ts';
import { FilesystemWriter, asStoreError, codeOf, ignoreMissing } from './filesystem-writer.ts';
import { FolderSync, syncFolder } from './folder-sync.ts';

const namePattern = /^[0-9a-f]{32}$/;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** How many files are removed at once. */
const deletesInFlight = 16;

/**
 * Parts as files: `<folder>/<first two digits>/<name>`. A file gets its final name at once and is never renamed; that it
 * is whole is the database's knowledge.
 */
export async function openFilesystemStore(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all(Array.from({ length: 256 }, (_, shard) => mkdir(join(folder, shard.toString(16).padStart(2, '0')), { recursive: true, mode: 0o700 })));
  await syncFolder(folder);
  return new FilesystemStore(folder);
}

class FilesystemStore implements BlobStore {
  readonly properties = { kind: 'filesystem', isDurable: true } as const;
  readonly #folder: string;
  readonly #folderSync = new FolderSync();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async create(name: PartName, signal?: AbortSignal): Promise<PartWriter> {
    signal?.throwIfAborted();
    const path = this.#path(name);
    let file: FileHandle;
    try {
      file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw new PartExistsError(`the part ${name} exists`, { cause: error });
      throw asStoreError(error);
    }
    return new FilesystemWriter(file, path, () => this.#folderSync.sync(this.#shard(name)));
  }

  async open(name: PartName, signal?: AbortSignal): Promise<PartReader> {
    signal?.throwIfAborted();
    let file: FileHandle;
    try {
      file = await open(this.#path(name), O_RDONLY | O_NOFOLLOW);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw new PartMissingError(`the part ${name} is missing`, { cause: error });
      throw error;
    }
    try {
      const { size } = await file.stat();
      return new FilesystemReader(file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async deleteMany(names: readonly PartName[]): Promise<void> {
    for (let start = 0; start < names.length; start += deletesInFlight) {
      await Promise.all(names.slice(start, start + deletesInFlight).map((name) => unlink(this.#path(name)).catch(ignoreMissing)));
    }
  }

  async check(): Promise<void> {
    await access(this.#folder, constants.R_OK | constants.W_OK);
  }

  async close(): Promise<void> {}

  #shard(name: PartName): string {
    return join(this.#folder, name.slice(0, 2));
  }

  #path(name: PartName): string {
    if (!namePattern.test(name)) throw new RangeError('not a part name');
    return join(this.#shard(name), name);
  }
}

class FilesystemReader implements PartReader {
  readonly sizeBytes: number;
  readonly #file: FileHandle;

  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await this.#file.read(target, filled, target.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
