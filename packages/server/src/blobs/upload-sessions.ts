import { type Hash, createHash } from 'node:crypto';

/** What this process remembers of an upload. The database knows all that matters; this saves work. */
interface SessionMemory {
  /** The digest so far, if it covers exactly `hashedBytes` from the start. */
  hash: Hash;
  algorithm: string;
  hashedBytes: number;
  /** The reserved part that no request has tried to write, if this process reserved it. */
  untouchedPart: string | undefined;
}

interface Writer {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Sessions are remembered up to this number, the least recently used go first: their digest is computed anew. */
const maxRemembered = 10_000;

/** Running digests and active writers of uploads in this process. */
export class UploadSessions {
  readonly #memory = new Map<string, SessionMemory>();
  readonly #writers = new Map<string, Writer>();

  /** How many requests are writing now. */
  get activeWriters(): number {
    return this.#writers.size;
  }

  remember(uploadId: string, memory: { readonly hash: Hash; readonly algorithm: string; readonly hashedBytes: number; readonly untouchedPart: string | undefined }): void {
    this.#memory.delete(uploadId);
    this.#memory.set(uploadId, { ...memory });
    if (this.#memory.size > maxRemembered) {
      const oldest = this.#memory.keys().next();
      if (!oldest.done) this.#memory.delete(oldest.value);
    }
  }

  forget(uploadId: string): void {
    this.#memory.delete(uploadId);
  }

  /** The running hash to go on with, when it is of this algorithm and covers exactly the bytes that are kept. */
  takeHash(uploadId: string, algorithm: string, receivedBytes: number): Hash | undefined {
    const memory = this.#memory.get(uploadId);
    if (memory !== undefined && memory.algorithm === algorithm && memory.hashedBytes === receivedBytes) return memory.hash;
    return receivedBytes === 0 ? createHash(algorithm) : undefined;
  }

  isUntouched(uploadId: string, part: string): boolean {
    return this.#memory.get(uploadId)?.untouchedPart === part;
  }

  /**
   * Runs `work` as the only writer of an upload in this process. A newer request takes over: the older one's connection
   * is most likely dead without its knowing, so it is told to stop, keeps what it has, and the newer goes on from there.
   */
  async asOnlyWriter<T>(uploadId: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let older = this.#writers.get(uploadId); older !== undefined; older = this.#writers.get(uploadId)) {
      older.abort.abort();
      await older.done;
    }
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writers.set(uploadId, { abort, done: promise });
    try {
      return await work(AbortSignal.any([signal, abort.signal]));
    } finally {
      this.#writers.delete(uploadId);
      resolve();
    }
  }
}
