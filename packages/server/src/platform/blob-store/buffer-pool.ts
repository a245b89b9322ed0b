import { Semaphore } from './semaphore.ts';

/**
 * A bounded number of buffers of one size for reading sealed segments. They are used again, because a new buffer of a MiB
 * costs a page fault for every page.
 *
 * Half of them may be filled ahead, for consumers who are not ready: these can be held for as long as a slow client
 * likes. The other half is held only while a segment is read and opened, so whoever waits for one gets it.
 */
export class BufferPool {
  readonly #sizeBytes: number;
  readonly #slots: Semaphore;
  readonly #aheadSlots: Semaphore;
  readonly #kept: Buffer[] = [];

  constructor(sizeBytes: number, maxBuffers: number) {
    this.#sizeBytes = sizeBytes;
    this.#slots = new Semaphore(maxBuffers);
    this.#aheadSlots = new Semaphore(Math.floor(maxBuffers / 2));
  }

  async take(signal?: AbortSignal): Promise<PooledBuffer> {
    await this.#slots.acquire(1, signal);
    const buffer = this.#buffer();
    return { buffer, giveBack: once(() => this.#giveBack(buffer)) };
  }

  /** A buffer to fill before it is needed, when there is one to spare. */
  tryTakeAhead(): PooledBuffer | undefined {
    if (!this.#aheadSlots.tryAcquire()) return undefined;
    if (!this.#slots.tryAcquire()) {
      this.#aheadSlots.release();
      return undefined;
    }
    const buffer = this.#buffer();
    const giveBack = (): void => {
      this.#giveBack(buffer);
      this.#aheadSlots.release();
    };
    return { buffer, giveBack: once(giveBack) };
  }

  #buffer(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes);
  }

  #giveBack(buffer: Buffer): void {
    this.#kept.push(buffer);
    this.#slots.release();
  }
}

export interface PooledBuffer {
  readonly buffer: Buffer;
  /** The buffer must not be used afterwards. A second call does nothing. */
  readonly giveBack: () => void;
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
