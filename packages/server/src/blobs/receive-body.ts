import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RegistryError } from '../errors/index.ts';
import type { RunningDigest } from '../platform/digests/index.ts';

/** Where received bytes go: sealed and stored, or nowhere when only their digest matters. */
export interface ByteSink {
  /** A promise asks the sender to pause until it resolves. */
  write(chunk: Uint8Array): Promise<void> | undefined;
}

export interface IncomingBytes {
  readonly body: Readable;
  /** Exact length when the client said it; a body that ends with another is refused. */
  readonly expectedBytes: number | undefined;
  readonly running: RunningDigest;
  readonly sink: ByteSink;
  readonly signal: AbortSignal;
}

/**
 * A sender whose bytes are always there would be read for 32 buffers of 64 KiB in a row (libuv), and everybody else would
 * wait: ten such uploads made `/v2/` answer after 100 ms. Each pause stops and starts the reading of a socket, too.
 */
const bytesPerTurn = 64 * 1024;

/** Keeps a body for later: it waits, it is not slow, and its breaking off is noticed by whoever reads it then. */
export function holdBody(body: Readable): void {
  body.pause();
  body.on('error', () => undefined);
}

export interface ReceivedBody {
  readonly sizeBytes: number;
  /** False when the client went away before its message was whole. What came before is good. */
  readonly isComplete: boolean;
}

/**
 * Hashes and hands on a request body as it arrives. The bytes of a broken connection are reported, not refused. Events
 * instead of an async iterator: an iterator costs a turn of the loop for every chunk.
 *
 * @throws SIZE_INVALID when the message is whole and has another length than it said (attack 8); what the sink throws
 */
export function receiveBody({ body, expectedBytes, running, sink, signal }: IncomingBytes): Promise<ReceivedBody> {
  return new Promise((resolve, reject) => {
    let sizeBytes = 0;
    let turnBytes = 0;
    let isWaiting = false;
    let ending: ReceivedBody | undefined;
    const settle = (): void => {
      if (ending === undefined || isWaiting) return;
      stopListening();
      if (ending.isComplete && expectedBytes !== undefined && sizeBytes !== expectedBytes)
        reject(otherLength(expectedBytes, sizeBytes));
      else resolve(ending);
    };
    const finish = (isComplete: boolean): void => {
      ending ??= { sizeBytes, isComplete };
      running.rest();
      settle();
    };
    const fail = (error: unknown): void => {
      stopListening();
      body.pause();
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      if (ending !== undefined) return;
      let pause: Promise<unknown> | undefined;
      try {
        sizeBytes += chunk.length;
        if (expectedBytes !== undefined && sizeBytes > expectedBytes) throw otherLength(expectedBytes, sizeBytes);
        // The digest first: then the chunk is the sink's.
        pause = both(running.update(chunk), sink.write(chunk));
      } catch (error) {
        return fail(error);
      }
      turnBytes += chunk.length;
      if (turnBytes >= bytesPerTurn) pause = both(pause, nextTurn());
      if (pause === undefined) return;
      isWaiting = true;
      body.pause();
      pause.then(() => {
        turnBytes = 0;
        isWaiting = false;
        if (ending === undefined) body.resume();
        settle();
      }, fail);
    };
    const onEnd = (): void => finish(true);
    const onBroken = (): void => finish(false);
    const stopListening = (): void => {
      body.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      signal.removeEventListener('abort', onBroken);
    };
    body.on('end', onEnd).on('error', onBroken).on('close', onBroken);
    signal.addEventListener('abort', onBroken, { once: true });
    if (signal.aborted || body.destroyed || body.readableEnded) return finish(body.readableEnded);
    body.on('data', onData);
    body.resume();
  });
}

function both(one: Promise<unknown> | undefined, other: Promise<unknown> | undefined): Promise<unknown> | undefined {
  if (one === undefined) return other;
  return other === undefined ? one : Promise.all([one, other]);
}

function otherLength(expectedBytes: number, sizeBytes: number): RegistryError {
  const found = sizeBytes > expectedBytes ? 'more came' : `${sizeBytes} came`;
  return new RegistryError('SIZE_INVALID', {
    message: `the body should have ${expectedBytes} bytes, ${found}; nothing of it was kept`,
  });
}
