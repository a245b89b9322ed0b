import type { DataKey } from '../keys/data-key.ts';
import { PartSealer, type SegmentGeometry, partGeometry } from '../sealing/index.ts';
import type { BlobStore, PartWriter } from './blob-store.ts';
import { BufferPool } from './buffer-pool.ts';
import { readSealed } from './read-sealed.ts';
import type { SealedStore, SealedWriter } from './sealed-store.ts';

export interface SealedStoreOptions {
  /** Other than Berth's own in tests only. */
  readonly geometry?: SegmentGeometry;
  /** Segment buffers of all downloads together. */
  readonly maxBuffers?: number;
}

/** Puts sealing between the server and a store: the store sees ciphertext only. */
export function openSealedStore(
  store: BlobStore,
  { geometry = partGeometry, maxBuffers = 16 }: SealedStoreOptions = {},
): SealedStore {
  const pool = new BufferPool(geometry.segmentBytes, maxBuffers);
  return {
    create: async (name, key, options = {}) => {
      const writer = await store.create(name, options.signal);
      return new SealingWriter(writer, { key, name, geometry, expectedBytes: options.expectedBytes });
    },
    read: (name, key, range, signal) => readSealed({ store, pool, geometry, name, key, range, signal }),
    verify: async (name, key, sizeBytes, signal) => {
      const range = { start: 0, end: sizeBytes, sizeBytes };
      // Opening every segment is the check; an empty part has one segment too.
      for await (const _ of readSealed({ store, pool, geometry, name, key, range, signal })) signal?.throwIfAborted();
    },
    deleteMany: (names) => store.deleteMany(names),
    check: () => store.check(),
    close: () => store.close(),
  };
}

interface SealingWriterOptions {
  readonly key: DataKey;
  readonly name: string;
  readonly geometry: SegmentGeometry;
  readonly expectedBytes: number | undefined;
}

class SealingWriter implements SealedWriter {
  readonly #writer: PartWriter;
  readonly #sealer: PartSealer;

  constructor(writer: PartWriter, { key, name, geometry, expectedBytes }: SealingWriterOptions) {
    this.#writer = writer;
    this.#sealer = new PartSealer({
      material: key.material,
      associatedData: name,
      geometry,
      ...(expectedBytes !== undefined && { expectedBytes }),
    });
  }

  get sizeBytes(): number {
    return this.#sealer.sizeBytes;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const ready = this.#sealer.take(chunk);
    return ready.length === 0 ? undefined : this.#writer.append(ready);
  }

  async commit(): Promise<void> {
    await this.#writer.append(this.#sealer.end());
    await this.#writer.commit();
  }

  cancel(): Promise<void> {
    return this.#writer.cancel();
  }
}
