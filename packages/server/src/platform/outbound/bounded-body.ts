import { Transform, type TransformCallback } from 'node:stream';
import { OutboundError } from './outbound-error.ts';

export interface BodyBounds {
  readonly host: string;
  readonly maxBytes: number;
  /** Without a byte for so long, the sender is given up. */
  readonly idleMs: number;
}

/** Passes an answer's bytes on, no more than were asked for and no slower than is bearable. */
export class BoundedBody extends Transform {
  readonly #bounds: BodyBounds;
  readonly #idle: NodeJS.Timeout;
  #bytes = 0;

  constructor(bounds: BodyBounds) {
    super();
    this.#bounds = bounds;
    this.#idle = setTimeout(() => this.#onIdle(), bounds.idleMs);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#idle.refresh();
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bounds.maxBytes) done(tooLarge(this.#bounds));
    else done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    clearTimeout(this.#idle);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    done(error);
  }

  /** Whoever reads may be slow, too: then the sender waits for us. */
  #onIdle(): void {
    if (this.readableLength > 0 || this.writableLength > 0) this.#idle.refresh();
    else this.destroy(new OutboundError('timeout', `${this.#bounds.host} stopped sending`));
  }
}

export function tooLarge({ host, maxBytes }: Pick<BodyBounds, 'host' | 'maxBytes'>): OutboundError {
  return new OutboundError('too-large', `${host} answers with more than the ${maxBytes} bytes that are taken`);
}
