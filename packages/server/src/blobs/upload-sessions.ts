import { RegistryError } from '../errors/index.ts';
import type { RunningDigest } from '../platform/digests/index.ts';

/** What this process remembers of an upload. The database knows all that matters; this saves work. */
export interface SessionMemory {
  /** Of the first `hashedBytes`; undefined: of none. */
  readonly running: RunningDigest | undefined;
  readonly algorithm: string;
  readonly hashedBytes: number;
  /** The reserved part, if this process reserved it and no request has tried to write it. */
  readonly untouchedPart: string | undefined;
}

interface Writer {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Sessions are remembered up to this number; the least recently used go first, and their digest is computed anew. */
const maxRemembered = 10_000;

/** Running digests and active writers of uploads in this process. */
export class UploadSessions {
  readonly #memory = new Map<string, SessionMemory>();
  readonly #writers = new Map<string, Writer>();
  #isStopped = false;

  /** Uploads that a request is writing to now. */
  get active(): readonly string[] {
    return [...this.#writers.keys()];
  }

  remember(uploadId: string, memory: SessionMemory): void {
    this.#memory.delete(uploadId);
    this.#memory.set(uploadId, memory);
    if (this.#memory.size <= maxRemembered) return;
    for (const oldest of this.#memory.keys()) {
      this.#memory.delete(oldest);
      break;
    }
  }

  forget(uploadId: string): void {
    this.#memory.delete(uploadId);
  }

  /**
   * A digest to go on with, when one is known that covers exactly the bytes that are kept. The memory keeps its own: what
   * a request hashes and then fails to keep must not count.
   */
  digestAt(uploadId: string, algorithm: string, receivedBytes: number): RunningDigest | undefined {
    const memory = this.#memory.get(uploadId);
    if (memory?.running?.isUsable !== true) return undefined;
    return memory.algorithm === algorithm && memory.hashedBytes === receivedBytes ? memory.running.copy() : undefined;
  }

  /** The reserved part, when it surely has no object. */
  untouchedPart(uploadId: string): string | undefined {
    return this.#memory.get(uploadId)?.untouchedPart;
  }

  /** From now on the reserved part may have an object. */
  touch(uploadId: string): void {
    const memory = this.#memory.get(uploadId);
    if (memory?.untouchedPart !== undefined) this.#memory.set(uploadId, { ...memory, untouchedPart: undefined });
  }

  /**
   * Runs `work` as the only writer of an upload in this process. A newer request takes over: the older one's connection
   * is most likely dead without its knowing, so it is told to stop, keeps what it has, and the newer goes on from there.
   */
  async asOnlyWriter<T>(uploadId: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let older = this.#writers.get(uploadId); older !== undefined; older = this.#writers.get(uploadId)) {
      older.abort.abort(takenOver());
      await older.done;
    }
    if (this.#isStopped) throw stopping();
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writers.set(uploadId, { abort, done: promise });
    try {
      return await work(AbortSignal.any([signal, abort.signal]));
    } catch (error) {
      throw abort.signal.aborted && !(error instanceof RegistryError) ? abort.signal.reason : error;
    } finally {
      this.#writers.delete(uploadId);
      resolve();
    }
  }

  /** Ends the requests that are writing; what they have is kept. Later ones are refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const writer of this.#writers.values()) writer.abort.abort(stopping());
    await Promise.all([...this.#writers.values()].map((writer) => writer.done));
  }
}

function takenOver(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', { message: 'another request goes on with this upload' });
}

function stopping(): RegistryError {
  return new RegistryError('UNAVAILABLE', { message: 'the registry is stopping; ask for the state of the upload later' });
}
