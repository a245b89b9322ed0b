import type { Worker } from 'node:worker_threads';
import { RegistryError } from '../../../errors/index.ts';
import { decodeFailure, type FromWriter, type ToWriter, type WriteAnswer, type WriteRequest } from './messages.ts';
import { type WriterThreads, ownThreads } from './writer-threads.ts';

export interface WriteQueueLimits {
  /** Transactions that wait or run. */
  readonly maxPending: number;
  /** Bytes of their inputs, roughly. */
  readonly maxPendingBytes: number;
}

const defaultWriteQueueLimits: WriteQueueLimits = { maxPending: 10_000, maxPendingBytes: 64 * 1024 * 1024 };

interface Pending {
  readonly sizeBytes: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's end of the writer thread: a bounded queue of named transactions. */
export class WriteQueue {
  readonly #threads: WriterThreads;
  readonly #worker: Worker;
  readonly #limits: WriteQueueLimits;
  readonly #pending = new Map<number, Pending>();
  #outbox: WriteRequest[] = [];
  #pendingBytes = 0;
  #lastId = 0;
  #death: unknown;
  readonly #closed = Promise.withResolvers<true>();
  readonly #exited = Promise.withResolvers<false>();
  #closing: Promise<void> | undefined;
  readonly #opening = Promise.withResolvers<void>();

  constructor(limits: WriteQueueLimits = defaultWriteQueueLimits, threads: WriterThreads = ownThreads) {
    this.#limits = limits;
    this.#threads = threads;
    this.#worker = threads.take();
    this.#opening.promise.catch(() => {});
    this.#worker.on('message', this.#receive);
    this.#worker.on('error', this.#die);
    this.#worker.on('exit', this.#exit);
  }

  /** Lets the thread begin. Does not wait for it: what is written meanwhile waits in line. */
  open(file: string, transactionsModule: URL): void {
    this.#post({ kind: 'open', file, transactionsModule: transactionsModule.href });
  }

  write(name: string, input: unknown): Promise<unknown> {
    if (this.#death !== undefined) return Promise.reject(unavailable('the writer of the database has stopped', this.#death));
    if (this.#closing !== undefined) return Promise.reject(unavailable('the registry is stopping'));
    const sizeBytes = roughSizeBytes(input);
    const { maxPending, maxPendingBytes } = this.#limits;
    const isFull =
      this.#pending.size >= maxPending || (this.#pending.size > 0 && this.#pendingBytes + sizeBytes > maxPendingBytes);
    if (isFull) return Promise.reject(unavailable('too many writes are waiting; try again'));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#lastId += 1;
    this.#pending.set(this.#lastId, { sizeBytes, resolve, reject });
    this.#pendingBytes += sizeBytes;
    // One message for all that is asked for in this turn.
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push({ id: this.#lastId, name, input });
    return promise;
  }

  /**
   * Resolves when the thread has opened the file and knows every transaction.
   * @throws RegistryError UNAVAILABLE when the thread is gone.
   */
  async check(): Promise<void> {
    await this.#opening.promise;
    if (this.#death !== undefined) throw unavailable('the writer of the database has stopped', this.#death);
  }

  /** Waits for what is pending, then gives the thread back. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#flush();
    this.#post({ kind: 'close' });
    const isClosed = await Promise.race([this.#closed.promise, this.#exited.promise]);
    if (!isClosed) return;
    this.#worker.off('message', this.#receive).off('error', this.#die).off('exit', this.#exit);
    await this.#threads.giveBack(this.#worker);
  }

  /** Ends the thread at once, as a crash would. What is pending is rejected. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited.promise;
  }

  #flush(): void {
    const requests = this.#outbox;
    if (requests.length === 0) return;
    this.#outbox = [];
    try {
      this.#post({ kind: 'write', requests });
    } catch {
      for (const request of requests) this.#postAlone(request);
    }
  }

  /** One input does not clone: the others of its turn must not suffer. */
  #postAlone(request: WriteRequest): void {
    try {
      this.#post({ kind: 'write', requests: [request] });
    } catch (error) {
      this.#take(request.id)?.reject(new Error(`the input of "${request.name}" cannot travel to a thread`, { cause: error }));
    }
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  readonly #receive = (message: FromWriter): void => {
    switch (message.kind) {
      case 'opened':
        this.#opening.resolve();
        break;
      case 'open-failed':
        this.#opening.reject(decodeFailure(message.failure));
        this.#die(decodeFailure(message.failure));
        break;
      case 'answers':
        for (const answer of message.answers) this.#settle(answer);
        break;
      case 'closed':
        this.#closed.resolve(true);
        break;
    }
  };

  #settle(answer: WriteAnswer): void {
    const pending = this.#take(answer.id);
    if (answer.ok) pending?.resolve(answer.result);
    else pending?.reject(decodeFailure(answer.failure));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    this.#pendingBytes -= pending.sizeBytes;
    return pending;
  }

  readonly #exit = (): void => {
    this.#die(new Error('the thread ended'));
    this.#exited.resolve(false);
  };

  readonly #die = (cause: unknown): void => {
    this.#death ??= cause;
    this.#opening.reject(new Error('the writer of the database did not start', { cause }));
    for (const id of this.#pending.keys()) this.#take(id)?.reject(unavailable('the writer of the database has stopped', cause));
  };
}

function unavailable(message: string, cause?: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', { message, cause, headers: { 'Retry-After': '1' } });
}

/** What the first level of an input holds: inputs are flat, and only manifests weigh anything. */
function roughSizeBytes(input: unknown): number {
  if (typeof input !== 'object' || input === null) return 16;
  let sizeBytes = 64;
  for (const value of Object.values(input)) {
    if (ArrayBuffer.isView(value)) sizeBytes += value.byteLength;
    else if (typeof value === 'string') sizeBytes += value.length;
    else if (Array.isArray(value)) sizeBytes += 64 * value.length;
    else sizeBytes += 16;
  }
  return sizeBytes;
}
