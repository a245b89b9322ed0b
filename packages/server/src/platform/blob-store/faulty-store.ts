import { type BlobStore, type PartReader, type PartWriter, StoreFullError, StoreTransientError } from './blob-store.ts';

/** What goes wrong, and how often: chances are from 0 (never, the default) to 1. May be changed at any time. */
export interface Faults {
  /** A call that is not about writing fails with `StoreTransientError`, without effect. */
  transient?: number;
  /** Bytes that still fit; what is appended beyond fails with `StoreFullError`. Appending uses them up. */
  spaceBytes?: number;
  /** Appending fails. */
  failedAppend?: number;
  /** Committing fails: half of the times before it took effect, half after. */
  failedCommit?: number;
  /** A read ends early, as of a file that was cut. */
  shortRead?: number;
  /** One bit of what was read is wrong. */
  flippedBit?: number;
  /** Half of the names are deleted, then it fails. */
  failedDelete?: number;
}

/** The failure of a store for no reason that it could name. */
export class InjectedError extends Error {
  override readonly name = 'InjectedError';
}

/** A store that fails as told, the same way for the same seed and order of calls. For tests. */
export function faultyStore(store: BlobStore, faults: Faults, seed: number): BlobStore {
  const chance = new Chance(seed);
  const mayFail = (): void => {
    if (chance.hits(faults.transient)) throw new StoreTransientError('injected');
  };
  return {
    properties: store.properties,
    create: async (name, signal) => {
      mayFail();
      return faultyWriter(await store.create(name, signal), faults, chance);
    },
    open: async (name, signal) => {
      mayFail();
      return faultyReader(await store.open(name, signal), faults, chance);
    },
    deleteMany: async (names) => {
      mayFail();
      if (!chance.hits(faults.failedDelete)) return store.deleteMany(names);
      await store.deleteMany(names.slice(0, Math.ceil(names.length / 2)));
      throw new InjectedError('half of the deletion failed');
    },
    check: async () => {
      mayFail();
      await store.check();
    },
    close: () => store.close(),
  };
}

function faultyWriter(writer: PartWriter, faults: Faults, chance: Chance): PartWriter {
  return {
    append: async (buffers) => {
      if (chance.hits(faults.failedAppend)) throw new InjectedError('appending failed');
      const sizeBytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
      if (faults.spaceBytes !== undefined) {
        if (faults.spaceBytes < sizeBytes) throw new StoreFullError('no space left');
        faults.spaceBytes -= sizeBytes;
      }
      await writer.append(buffers);
    },
    commit: async () => {
      const fails = chance.hits(faults.failedCommit);
      if (!fails || chance.hits(0.5)) await writer.commit();
      if (fails) throw new InjectedError('committing failed');
    },
    cancel: () => writer.cancel(),
  };
}

function faultyReader(reader: PartReader, faults: Faults, chance: Chance): PartReader {
  return {
    sizeBytes: reader.sizeBytes,
    read: async (offset, target) => {
      if (chance.hits(faults.transient)) throw new StoreTransientError('injected');
      const filled = await reader.read(offset, target);
      if (chance.hits(faults.shortRead)) return Math.floor(chance.next() * filled);
      if (filled > 0 && chance.hits(faults.flippedBit)) {
        const at = Math.floor(chance.next() * filled);
        target[at] = (target[at] ?? 0) ^ (1 << Math.floor(chance.next() * 8));
      }
      return filled;
    },
    close: () => reader.close(),
  };
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  hits(probability = 0): boolean {
    return probability > 0 && this.next() < probability;
  }
}
