import type { FileHandle } from 'node:fs/promises';
import { unlink } from 'node:fs/promises';
import { releaseMemory } from '../memory/index.ts';
import { type PartWriter, StoreFullError } from './blob-store.ts';
import type { Semaphore } from './semaphore.ts';

/** More than eight writes in flight gain nothing on any disk that was measured. */
const maxWritesInFlight = 8;
/** What comes while a write is on its way is written together, up to so much: to wake a thread costs as much as to copy this. */
const mostGatheredBytes = 256 * 1024;
/** writev takes at most this many buffers (IOV_MAX). */
const maxBuffersPerWrite = 1024;

/**
 * So much is written before the disk is told to keep it, while more is coming: at the end little is left to wait for. A disk that is
 * told so more often has no time for anything else.
 */
const syncedAtOnceBytes = 16 * 1024 * 1024;

export interface FilesystemWriterOptions {
  readonly file: FileHandle;
  readonly path: string;
  /** Bytes in flight of all writers of the store: many slow uploads on a slow disk must not fill the memory. */
  readonly bytesInFlight: Semaphore;
  readonly syncFolder: () => Promise<void>;
  /** Called once, after the file is committed or gone. */
  readonly onEnd: () => void;
}

/** Writes one file from start to end with several writes in flight, each at its own position. */
export class FilesystemWriter implements PartWriter {
  readonly #options: FilesystemWriterOptions;
  readonly #inFlight = new Set<Promise<void>>();
  /** What is to be written next. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #position = 0;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #failure: unknown;
  #state: 'open' | 'committed' | 'cancelled' = 'open';
  #cancelling: Promise<void> | undefined;

  constructor(options: FilesystemWriterOptions) {
    this.#options = options;
  }

  async append(buffers: readonly Uint8Array[]): Promise<void> {
    for (let start = 0; start < buffers.length; start += maxBuffersPerWrite) {
      const group =
        start === 0 && buffers.length <= maxBuffersPerWrite ? buffers : buffers.slice(start, start + maxBuffersPerWrite);
      const sizeBytes = group.reduce((sum, buffer) => sum + buffer.length, 0);
      this.#throwIfUnusable();
      if (!this.#options.bytesInFlight.tryAcquire(sizeBytes)) await this.#waitForRoom(sizeBytes);
      this.#gather(group, sizeBytes);
      if (this.#inFlight.size >= maxWritesInFlight) await Promise.race(this.#inFlight);
      this.#syncAhead(sizeBytes);
    }
  }

  async commit(): Promise<void> {
    this.#writeGathered();
    await Promise.all([...this.#inFlight, this.#syncing]);
    this.#throwIfUnusable();
    const { file, syncFolder, onEnd } = this.#options;
    try {
      await file.sync();
    } catch (error) {
      throw asStoreError(error);
    }
    await file.close();
    await syncFolder();
    this.#state = 'committed';
    onEnd();
  }

  cancel(): Promise<void> {
    if (this.#state === 'committed') return Promise.resolve();
    this.#state = 'cancelled';
    this.#cancelling ??= this.#drop();
    return this.#cancelling;
  }

  async #drop(): Promise<void> {
    const { file, path, bytesInFlight, onEnd } = this.#options;
    bytesInFlight.release(this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await Promise.all([...this.#inFlight, this.#syncing]);
    // It is closed already when a commit failed at its last step.
    await file.close().catch(() => undefined);
    await unlink(path).catch(ignoreMissing);
    onEnd();
  }

  async #waitForRoom(sizeBytes: number): Promise<void> {
    const { bytesInFlight } = this.#options;
    await bytesInFlight.acquire(sizeBytes);
    try {
      this.#throwIfUnusable();
    } catch (error) {
      bytesInFlight.release(sizeBytes);
      throw error;
    }
  }

  #gather(buffers: readonly Uint8Array[], sizeBytes: number): void {
    if (this.#gathered.length + buffers.length > maxBuffersPerWrite) this.#writeGathered();
    this.#gathered.push(...buffers);
    this.#gatheredBytes += sizeBytes;
    if (this.#inFlight.size === 0 || this.#gatheredBytes >= mostGatheredBytes) this.#writeGathered();
  }

  #writeGathered(): void {
    if (this.#gathered.length === 0) return;
    const [buffers, sizeBytes] = [this.#gathered, this.#gatheredBytes];
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#startWrite(buffers, sizeBytes);
  }

  #startWrite(buffers: readonly Uint8Array[], sizeBytes: number): void {
    const position = this.#position;
    this.#position += sizeBytes;
    const write = this.#writeAll(buffers, position)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#options.bytesInFlight.release(sizeBytes);
        this.#inFlight.delete(write);
        if (this.#inFlight.size === 0) this.#writeGathered();
      });
    this.#inFlight.add(write);
  }

  #syncAhead(writtenBytes: number): void {
    this.#unsyncedBytes += writtenBytes;
    if (this.#unsyncedBytes < syncedAtOnceBytes || this.#syncing !== undefined) return;
    this.#unsyncedBytes = 0;
    this.#syncing = this.#options.file
      .datasync()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  /** A write may be short, above all just before the disk is full. */
  async #writeAll(buffers: readonly Uint8Array[], start: number): Promise<void> {
    let position = start;
    let rest = buffers;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#options.file.writev(rest, position);
      position += bytesWritten;
      rest = without(rest, bytesWritten);
    }
    for (const buffer of buffers) releaseMemory(buffer);
  }

  #throwIfUnusable(): void {
    if (this.#failure !== undefined) throw asStoreError(this.#failure);
    if (this.#state !== 'open') throw new Error(`the part is ${this.#state}`);
  }
}

/** What is left to write; also drops empty buffers. */
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
