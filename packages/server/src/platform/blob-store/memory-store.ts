import { type BlobStore, PartExistsError, PartMissingError, type PartName, type PartReader, type PartWriter } from './blob-store.ts';

/** Parts in memory, for trying Berth out and for tests. */
export function openMemoryStore(): BlobStore {
  const parts = new Map<PartName, Buffer | undefined>();
  return {
    properties: { kind: 'memory', isDurable: false },
    create: async (name) => {
      if (parts.has(name)) throw new PartExistsError(`the part ${name} exists`);
      parts.set(name, undefined);
      return new MemoryWriter(parts, name);
    },
    open: async (name) => {
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

class MemoryWriter implements PartWriter {
  readonly #parts: Map<PartName, Buffer | undefined>;
  readonly #name: PartName;
  #buffers: Uint8Array[] = [];
  #isCommitted = false;

  constructor(parts: Map<PartName, Buffer | undefined>, name: PartName) {
    this.#parts = parts;
    this.#name = name;
  }

  async append(buffers: readonly Uint8Array[]): Promise<void> {
    this.#buffers.push(...buffers);
  }

  async commit(): Promise<void> {
    this.#parts.set(this.#name, Buffer.concat(this.#buffers));
    this.#buffers = [];
    this.#isCommitted = true;
  }

  async cancel(): Promise<void> {
    this.#buffers = [];
    if (!this.#isCommitted) this.#parts.delete(this.#name);
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
    return this.#bytes.copy(target, 0, offset);
  }

  async close(): Promise<void> {}
}
