import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { PeerError } from './model.ts';
import { damaged, unreachable } from './peer-failures.ts';

/** What a sender reads and sends at once: so much that it prepares the next while this is taken. A quarter of it costs a tenth of the speed. */
const readAheadBytes = 4 * 1024 * 1024;

export interface PeerBodyOptions {
  readonly region: string;
  readonly address: URL;
  readonly response: IncomingMessage;
  /** What was announced: it ends with exactly so many, or with an error. Undefined: nothing was. */
  readonly lengthBytes: number | undefined;
  readonly maxBytes: number;
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/**
 * The bytes of an answer as they arrive, chunk by chunk without copies. As long as the reader takes what is there, the sender has
 * to send; how long all of it takes is bounded by nothing: a layer may take hours. Fails with a `PeerError` or the signal's reason.
 */
export class PeerBody extends Readable {
  readonly #options: PeerBodyOptions;
  /** Of the answer, which forgets it at its end. */
  readonly #socket: Socket;
  #receivedBytes = 0;

  constructor(options: PeerBodyOptions) {
    super({ highWaterMark: readAheadBytes });
    this.#options = options;
    this.#socket = options.response.socket;
    const { response, signal } = options;
    response.on('error', (error) => this.destroy(this.#failure(error)));
    response.on('end', () => this.#end());
    response.on('close', () => {
      if (!response.complete) this.destroy(this.#failure());
    });
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.pause();
    this.#socket.setTimeout(options.idleMs);
    this.#socket.on('timeout', this.#onIdle);
    // Whoever reads it later is told.
    this.on('error', () => undefined);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  override _read(): void {
    const { response, idleMs } = this.#options;
    if (!response.isPaused()) return;
    // Only from now on the sender has to send.
    this.#socket.setTimeout(idleMs);
    response.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    if (!this.#options.response.complete || !this.#options.response.readableEnded) this.#options.response.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    const { region, response, maxBytes } = this.#options;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > maxBytes) this.destroy(damaged(region, `more than the ${maxBytes} bytes that are taken`));
    else if (!this.push(chunk)) response.pause();
  }

  #end(): void {
    const { region, lengthBytes } = this.#options;
    this.#release();
    if (lengthBytes === undefined || this.#receivedBytes === lengthBytes) this.push(null);
    else this.destroy(damaged(region, `${this.#receivedBytes} bytes where ${lengthBytes} were announced`));
  }

  readonly #onAbort = (): void => void this.destroy(this.#options.signal.reason as Error);

  /** Whoever reads may be slow, too: then the sender waits for us. */
  readonly #onIdle = (): void => {
    const { region, address, response, idleMs } = this.#options;
    if (this.readableLength > 0 || response.isPaused()) this.#socket.setTimeout(idleMs);
    else this.destroy(unreachable(region, address, 'it stopped sending'));
  };

  #release(): void {
    const { signal } = this.#options;
    this.#socket.off('timeout', this.#onIdle);
    signal.removeEventListener('abort', this.#onAbort);
  }

  #failure(cause?: Error): Error {
    const { region, address, signal } = this.#options;
    if (signal.aborted) return signal.reason as Error;
    return cause instanceof PeerError ? cause : unreachable(region, address, 'the connection broke off', { cause });
  }
}
