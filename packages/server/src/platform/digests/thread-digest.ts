import { type DigestThread, mostBufferBytes } from './digest-thread.ts';
import type { RunningDigest } from './running-digest.ts';

/** Each buffer is twice as large as the one before: whoever sends little, or slowly, holds little. */
const firstBufferBytes = 64 * 1024;

/** Buffers of one digest that the thread has not hashed yet. */
const maxBuffersAhead = 2;

/** What nobody goes on with (a request that failed, an upload that was forgotten) is forgotten in the thread, too. */
const unused = new FinalizationRegistry<{ readonly thread: DigestThread; readonly id: number }>(({ thread, id }) =>
  thread.tell({ kind: 'drop', id }),
);

/** Computes in a thread; here bytes are only gathered. */
export class ThreadDigest implements RunningDigest {
  readonly #thread: DigestThread;
  readonly #id: number;
  #buffer: ArrayBuffer | undefined;
  #bufferBytes = firstBufferBytes;
  #filledBytes = 0;
  #buffersAhead = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #failure: unknown;

  private constructor(thread: DigestThread) {
    this.#thread = thread;
    this.#id = thread.newId();
    unused.register(this, { thread, id: this.#id }, this);
  }

  static begin(thread: DigestThread, algorithm: string): ThreadDigest {
    const digest = new ThreadDigest(thread);
    thread.tell({ kind: 'begin', id: digest.#id, algorithm });
    return digest;
  }

  get isUsable(): boolean {
    return !this.#thread.hasEnded;
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    for (let taken = 0; taken < bytes.length; ) {
      this.#buffer ??= this.#thread.newBuffer(this.#bufferBytes);
      const sizeBytes = Math.min(this.#bufferBytes - this.#filledBytes, bytes.length - taken);
      new Uint8Array(this.#buffer, this.#filledBytes).set(bytes.subarray(taken, taken + sizeBytes));
      this.#filledBytes += sizeBytes;
      taken += sizeBytes;
      if (this.#filledBytes < this.#bufferBytes) continue;
      this.#send(this.#buffer);
      this.#bufferBytes = Math.min(2 * this.#bufferBytes, mostBufferBytes);
    }
    if (this.#failure === undefined && this.#buffersAhead <= maxBuffersAhead) return undefined;
    return this.#waitForRoom();
  }

  rest(): void {
    if (this.#buffer !== undefined) this.#send(this.#buffer);
  }

  copy(): ThreadDigest {
    this.rest();
    const copy = new ThreadDigest(this.#thread);
    this.#thread.tell({ kind: 'copy', id: copy.#id, from: this.#id });
    return copy;
  }

  end(): Promise<string> {
    this.rest();
    unused.unregister(this);
    return this.#thread.end(this.#id);
  }

  #waitForRoom(): Promise<void> {
    this.#room ??= Promise.withResolvers();
    // Whoever was given it may have failed for another reason, and look no more.
    this.#room.promise.catch(() => undefined);
    if (this.#failure !== undefined) this.#room.reject(this.#failure);
    return this.#room.promise;
  }

  #send(buffer: ArrayBuffer): void {
    const sizeBytes = this.#filledBytes;
    this.#buffer = undefined;
    this.#filledBytes = 0;
    this.#buffersAhead += 1;
    this.#thread.hash(this.#id, buffer, sizeBytes).then(
      () => this.#sent(),
      (error: unknown) => this.#fail(error),
    );
  }

  #sent(): void {
    this.#buffersAhead -= 1;
    if (this.#buffersAhead > maxBuffersAhead) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#room?.reject(error);
  }
}
