/**
 * Buffers of one size for reading sealed segments. New ones of a MiB cost page faults for every page, so used ones are
 * kept, up to a bound.
 */
export class BufferPool {
  readonly #sizeBytes: number;
  readonly #maxKept: number;
  readonly #kept: Buffer[] = [];

  constructor(sizeBytes: number, maxKept: number) {
    this.#sizeBytes = sizeBytes;
    this.#maxKept = maxKept;
  }

  take(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes);
  }

  /** The buffer must not be used afterwards by whoever took it. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === this.#sizeBytes && this.#kept.length < this.#maxKept) this.#kept.push(buffer);
  }
}
