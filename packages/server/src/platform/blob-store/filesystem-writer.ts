import type { FileHandle } from 'node:fs/promises';
import { unlink } from 'node:fs/promises';
import { type PartWriter, StoreFullError } from './blob-store.ts';

/** More than eight writes in flight gain nothing on any disk that was measured. */
const maxWritesInFlight = 8;
/** writev takes at most this many buffers (IOV_MAX). */
const maxBuffersPerWrite = 1024;

/** Writes one file from start to end with several writes in flight, each at its own position. */
export class FilesystemWriter implements PartWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #syncFolder: () => Promise<void>;
  readonly #inFlight = new Set<Promise<void>>();
  #position = 0;
  #failure: unknown;
  #state: 'open' | 'committed' | 'cancelled' = 'open';

  constructor(file: FileHandle, path: string, syncFolder: () => Promise<void>) {
    this.#file = file;
    this.#path = path;
    this.#syncFolder = syncFolder;
  }

  async append(buffers: readonly Uint8Array[]): Promise<void> {
    for (let start = 0; start < buffers.length; start += maxBuffersPerWrite) {
      this.#throwIfFailed();
      this.#startWrite(buffers.slice(start, start + maxBuffersPerWrite));
      if (this.#inFlight.size >= maxWritesInFlight) await Promise.race(this.#inFlight);
    }
  }

  async commit(): Promise<void> {
    await Promise.all(this.#inFlight);
    this.#throwIfFailed();
    try {
      await this.#file.sync();
    } catch (error) {
      throw asStoreError(error);
    }
    await this.#file.close();
    await this.#syncFolder();
    this.#state = 'committed';
  }

  async cancel(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'cancelled';
    await Promise.all(this.#inFlight);
    await this.#file.close().catch(() => undefined);
    await unlink(this.#path).catch(ignoreMissing);
  }

  #startWrite(buffers: readonly Uint8Array[]): void {
    const position = this.#position;
    for (const buffer of buffers) this.#position += buffer.length;
    const write = this.#writeAll(buffers, position)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#inFlight.delete(write));
    this.#inFlight.add(write);
  }

  /** A write may be short, above all just before the disk is full. */
  async #writeAll(buffers: readonly Uint8Array[], start: number): Promise<void> {
    let position = start;
    let rest = buffers;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#file.writev(rest, position);
      position += bytesWritten;
      rest = without(rest, bytesWritten);
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw asStoreError(this.#failure);
  }
}

function without(buffers: readonly Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = written;
  for (const buffer of buffers) {
    if (left < buffer.length) rest.push(left === 0 ? buffer : buffer.subarray(left));
    left = Math.max(0, left - buffer.length);
  }
  return rest;
}

/** Names the one failure that is nobody's fault: no space, no quota. */
export function asStoreError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StoreFullError('no space left for parts', { cause: error });
  return error;
}

export function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
