/** A chunk from this size on costs less to handle by itself than to copy. */
const largeBytes = 4 * 1024;
const gatherBytes = 16 * 1024;

/**
 * Copies chunks of a few bytes together. A sender decides how a body is cut: a million chunks of one byte would
 * otherwise be a million buffers in memory, each holding on to the network buffer it came in.
 */
export class SmallChunks {
  #space: Buffer = Buffer.alloc(0);
  /** What is gathered and not yet handed on is `[#start, #end)` of the space. */
  #start = 0;
  #end = 0;

  /** Returns what is ready, in order; it stays unchanged from then on. */
  take(chunk: Uint8Array): Uint8Array[] {
    if (chunk.length >= largeBytes) return [...this.flush(), chunk];
    const ready = this.#end + chunk.length > this.#space.length ? this.flush() : [];
    if (this.#end + chunk.length > this.#space.length) {
      this.#space = Buffer.allocUnsafeSlow(gatherBytes);
      this.#start = 0;
      this.#end = 0;
    }
    this.#space.set(chunk, this.#end);
    this.#end += chunk.length;
    return ready;
  }

  /** The rest of the space is filled next, so that a large chunk now and then wastes none. */
  flush(): Uint8Array[] {
    if (this.#start === this.#end) return [];
    const gathered = this.#space.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return [gathered];
  }
}
