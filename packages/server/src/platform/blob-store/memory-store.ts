import {
  type BlobStore,
  PartExistsError,
  PartMissingError,
  type PartName,
  type PartReader,
  type PartWriter,
} from './blob-store.ts';

/** Parts in memory, for trying Berth out and for tests. */
export function openMemoryStore(): BlobStore {
  const parts: Parts = new Map();
  return {
    properties: { kind: 'memory', isDurable: false },
    create: async (name, signal) => {
      signal?.throwIfAborted();
      if (parts.has(name)) throw new PartExistsError(`the part ${name} exists`);
      parts.set(name, undefined);
      return new MemoryWriter(parts, name);
    },
    open: async (name, signal) => {
      signal?.throwIfAborted();
      const bytes = parts.get(name);
      if (bytes === undefined) throw new PartMissingError(`the part ${name} is missing`);
      return new MemoryReader(bytes);
    },
    deleteMany: async (names) => {
      for (const name of names) parts.delete(name);
    },
    check: async () => undefined,
    close: async () => parts.clear(),
  };
}

/** Undefined: being written. */
type Parts = Map<PartName, Buffer | undefined>;

class MemoryWriter implements PartWriter {
  readonly #parts: Parts;
  readonly #name: PartName;
  #buffers: Uint8Array[] = [];
  #state: 'open' | 'committed' | 'cancelled' = 'open';

  constructor(parts: Parts, name: PartName) {
    this.#parts = parts;
    this.#name = name;
  }

  async append(buffers: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen();
    this.#buffers.push(...buffers);
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    this.#parts.set(this.#name, Buffer.concat(this.#buffers));
    this.#buffers = [];
    this.#state = 'committed';
  }

  async cancel(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'cancelled';
    this.#buffers = [];
    this.#parts.delete(this.#name);
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new Error(`the part is ${this.#state}`);
  }
}

class MemoryReader implements PartReader {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  async read(offset: number, target: Uint8Array): Promise<number> {
    return offset >= this.#bytes.length ? 0 : this.#bytes.copy(target, 0, offset);
  }

  async close(): Promise<void> {}
}
