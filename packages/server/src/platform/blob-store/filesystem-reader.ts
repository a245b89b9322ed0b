import { close, constants, fstatSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { PartReader } from './blob-store.ts';

const openFile = promisify(open);
const closeFile = promisify(close);

/**
 * Opens a file for reading. Plain descriptors, because a FileHandle costs a small part more than its reading; the size
 * is asked for in this thread, because the kernel holds the answer once the file is open.
 */
export async function openFileReader(path: string): Promise<PartReader> {
  const file = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return new FilesystemReader(file, fstatSync(file).size);
  } catch (error) {
    await closeFile(file);
    throw error;
  }
}

class FilesystemReader implements PartReader {
  readonly sizeBytes: number;
  readonly #file: number;
  #isClosed = false;

  constructor(file: number, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const got = await this.#readOnce(target, filled, offset + filled);
      if (got === 0) break;
      filled += got;
    }
    return filled;
  }

  async close(): Promise<void> {
    // The number may belong to another file by then.
    if (this.#isClosed) return;
    this.#isClosed = true;
    await closeFile(this.#file);
  }

  #readOnce(target: Uint8Array, start: number, position: number): Promise<number> {
    if (this.#isClosed) return Promise.reject(new Error('the part is closed'));
    return new Promise((resolve, reject) => {
      read(this.#file, target, start, target.length - start, position, (error, got) =>
        error === null ? resolve(got) : reject(error),
      );
    });
  }
}
