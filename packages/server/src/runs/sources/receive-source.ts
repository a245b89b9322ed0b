import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RegistryError } from '../../errors/index.ts';
import { StoreFullError } from '../../platform/blob-store/index.ts';
import type { RunsContext } from '../runs-context.ts';
import { type ObjectRow, finishObject } from './objects.ts';

/** The event loop is given back after each of these: a sender whose bytes are always there must not hold everybody up. */
const bytesPerTurn = 64 * 1024;

export interface IncomingSource {
  readonly body: Readable;
  readonly sizeBytes: number | undefined;
  readonly signal: AbortSignal;
}

/** How long a source waits for its run. */
export const sourceKeptMs = 86_400_000;

type SourceContext = Pick<RunsContext, 'database' | 'keys' | 'store' | 'clock' | 'limits'>;

/**
 * Seals a body into an object that has its row already, and returns its size. What did not come whole leaves nothing in the store.
 * @throws SIZE_INVALID, STORAGE_FULL, and when the client goes away
 */
export async function receiveInto(context: SourceContext, object: ObjectRow, source: IncomingSource): Promise<number> {
  const { database, keys, store, clock, limits } = context;
  const { sizeBytes, signal } = source;
  if (sizeBytes !== undefined && sizeBytes > limits.maxSourceSizeBytes) throw tooLarge(limits.maxSourceSizeBytes);
  const key = keys.get(object.registry_id, object.data_key_id);
  try {
    const writer = await store.create(object.part_name, key, {
      signal,
      ...(sizeBytes !== undefined && { expectedBytes: sizeBytes }),
    });
    try {
      await copy(source, writer, limits.maxSourceSizeBytes);
      await writer.commit();
    } catch (error) {
      await writer.cancel().catch(() => undefined);
      throw error;
    }
    const isKept = await database.write(finishObject, {
      id: object.id,
      partName: object.part_name,
      expiresAt: object.expires_at ?? 0,
      sizeBytes: writer.sizeBytes,
      keptUntil: clock.now() + sourceKeptMs,
    });
    if (!isKept) throw new RegistryError('SIZE_INVALID', { message: 'the upload took more than a day: send it again' });
    return writer.sizeBytes;
  } catch (error) {
    throw error instanceof StoreFullError ? new RegistryError('STORAGE_FULL', { cause: error }) : error;
  }
}

interface Sink {
  write(chunk: Uint8Array): Promise<void> | undefined;
}

async function copy({ body, sizeBytes, signal }: IncomingSource, sink: Sink, maxBytes: number): Promise<void> {
  let receivedBytes = 0;
  let turnBytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    receivedBytes += chunk.length;
    turnBytes += chunk.length;
    if (receivedBytes > maxBytes) throw tooLarge(maxBytes);
    await sink.write(chunk);
    if (turnBytes < bytesPerTurn) continue;
    turnBytes = 0;
    await nextTurn();
  }
  if (receivedBytes === 0) throw new RegistryError('SIZE_INVALID', { message: 'the archive is empty' });
  if (sizeBytes !== undefined && receivedBytes !== sizeBytes)
    throw new RegistryError('SIZE_INVALID', { message: `the archive should have ${sizeBytes} bytes, ${receivedBytes} came` });
}

function tooLarge(maxBytes: number): RegistryError {
  return new RegistryError('SIZE_INVALID', {
    message: `the archive is larger than ${maxBytes} bytes: leave files out with .dockerignore, or let the operator raise maxSourceSize`,
  });
}
