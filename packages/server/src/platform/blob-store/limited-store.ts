import type { BlobStore, PartReader, PartWriter } from './blob-store.ts';
import { Semaphore } from './semaphore.ts';

/** Lets at most so many calls run at once; others wait in line. For stores that answer slower the more they are asked. */
export function limitedStore(store: BlobStore, maxCalls: number): BlobStore {
  const calls = new Semaphore(maxCalls);
  const limit: Limit = async (call, signal) => {
    await calls.acquire(1, signal);
    try {
      return await call();
    } finally {
      calls.release();
    }
  };
  return {
    properties: store.properties,
    create: async (name, signal) => limitedWriter(await limit(() => store.create(name, signal), signal), limit),
    open: async (name, signal) => limitedReader(await limit(() => store.open(name, signal), signal), limit),
    deleteMany: (names) => limit(() => store.deleteMany(names)),
    // Whether the store can be reached must not wait for those who found that it cannot.
    check: () => store.check(),
    close: () => store.close(),
  };
}

type Limit = <Result>(call: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

function limitedWriter(writer: PartWriter, limit: Limit): PartWriter {
  return {
    append: (buffers) => limit(() => writer.append(buffers)),
    commit: () => limit(() => writer.commit()),
    cancel: () => limit(() => writer.cancel()),
  };
}

function limitedReader(reader: PartReader, limit: Limit): PartReader {
  return {
    sizeBytes: reader.sizeBytes,
    read: (offset, target) => limit(() => reader.read(offset, target)),
    close: () => reader.close(),
  };
}
