import { Readable } from 'node:stream';
import type { Pace } from '../../platform/pace/index.ts';

export interface PartOfBodyOptions {
  /** Paused; what is left of it stays for the next part. */
  readonly source: Readable;
  readonly sizeBytes: number;
  /** Each of them allows a chunk before it passes. */
  readonly paces: () => readonly Pace[];
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * The next bytes of a longer body as a body of their own, as fast as all paces allow. Chunks pass as they are. Fails as its source
 * does; what came before that is good.
 */
export class PartOfBody extends Readable {
  readonly #options: PartOfBodyOptions;
  #leftBytes: number;
  /** A chunk waits until it may pass: none may come after it meanwhile, or it would be overtaken. */
  #isHolding = false;

  constructor(options: PartOfBodyOptions) {
    super({ highWaterMark: 64 * 1024 });
    this.#options = options;
    this.#leftBytes = options.sizeBytes;
    const { source } = options;
    if (options.sizeBytes === 0) this.push(null);
    source.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onEnd);
    source.pause();
    this.on('error', () => undefined);
    if (source.errored !== null) this.#onError(source.errored);
    else if (source.destroyed || source.readableEnded) this.#onEnd();
  }

  override _read(): void {
    if (this.#leftBytes > 0 && !this.#isHolding) this.#options.source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    const { source, paces, onBytes, signal } = this.#options;
    const taken = chunk.length > this.#leftBytes ? chunk.subarray(0, this.#leftBytes) : chunk;
    this.#leftBytes -= taken.length;
    onBytes(taken.length);
    if (this.#leftBytes === 0) {
      this.#release();
      if (taken !== chunk) source.unshift(chunk.subarray(taken.length));
    }
    const pauses = paces()
      .map((pace) => pace.spend(taken.length, signal))
      .filter((pause) => pause !== undefined);
    if (pauses.length === 0) return this.#hand(taken);
    source.pause();
    this.#isHolding = true;
    Promise.all(pauses).then(
      () => {
        this.#isHolding = false;
        this.#hand(taken);
      },
      (error: unknown) => this.destroy(error as Error),
    );
  };

  #hand(chunk: Buffer): void {
    const wantsMore = this.push(chunk);
    if (this.#leftBytes === 0) this.push(null);
    else if (wantsMore) this.#options.source.resume();
    else this.#options.source.pause();
  }

  readonly #onEnd = (): void => {
    if (this.#leftBytes > 0) this.destroy(new Error('the body ended early'));
  };

  readonly #onError = (error: Error): void => void this.destroy(error);

  #release(): void {
    const { source } = this.#options;
    source.pause();
    source.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onEnd);
  }
}
