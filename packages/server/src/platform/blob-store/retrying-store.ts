import { setTimeout as delay } from 'node:timers/promises';
import { type BlobStore, type PartReader, StoreTransientError } from './blob-store.ts';

export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts?: number;
  /** The longest wait before the second call; doubles with each further one. */
  readonly firstWaitMs?: number;
  readonly maxWaitMs?: number;
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** In `[0, 1)`. */
  readonly random?: () => number;
}

/**
 * Repeats calls that failed with `StoreTransientError`, waiting a random part of a growing time so that many callers do not
 * come back at once. Writing is not repeated: what was appended belongs to the writer, and only its store can send it again.
 */
export function retryingStore(store: BlobStore, options: RetryOptions = {}): BlobStore {
  const retry = retrying(options);
  return {
    properties: store.properties,
    // When the first call did create the object, the second says that it exists, and the caller takes another name.
    create: (name, signal) => retry(() => store.create(name, signal), signal),
    open: async (name, signal) => retryingReader(await retry(() => store.open(name, signal), signal), retry),
    deleteMany: (names) => retry(() => store.deleteMany(names)),
    check: () => store.check(),
    close: () => store.close(),
  };
}

type Retry = <Result>(call: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

function retryingReader(reader: PartReader, retry: Retry): PartReader {
  return {
    sizeBytes: reader.sizeBytes,
    read: (offset, target) => retry(() => reader.read(offset, target)),
    close: () => reader.close(),
  };
}

function retrying(options: RetryOptions): Retry {
  const { attempts = 5, firstWaitMs = 100, maxWaitMs = 5_000, random = Math.random } = options;
  const wait =
    options.wait ?? ((ms: number, signal?: AbortSignal) => delay(ms, undefined, signal === undefined ? {} : { signal }));
  return async (call, signal) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof StoreTransientError) || attempt >= attempts) throw error;
        await wait(random() * Math.min(maxWaitMs, firstWaitMs * 2 ** (attempt - 1)), signal);
      }
    }
  };
}
