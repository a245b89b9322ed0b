import type { DataKey } from '../keys/data-key.ts';
import {
  PartCipher,
  SealBrokenError,
  type SegmentGeometry,
  headerBytes,
  openSegment,
  plainStart,
  sealedSize,
  segmentAt,
  segmentCount,
} from '../sealing/index.ts';
import { type BlobStore, PartMissingError, type PartName, type PartReader } from './blob-store.ts';
import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import { PartDamagedError } from './sealed-store.ts';

export interface SealedRead {
  readonly store: BlobStore;
  readonly pool: BufferPool;
  readonly geometry: SegmentGeometry;
  readonly name: PartName;
  readonly key: DataKey;
  /** `[start, end)` of a plaintext of `sizeBytes`. */
  readonly range: { readonly start: number; readonly end: number; readonly sizeBytes: number };
  readonly signal: AbortSignal | undefined;
}

/** Sealed segments up to this size do not wait for a pooled buffer: they cost no page faults worth speaking of. */
const smallBytes = 64 * 1024 + 256;

/** Opens the segments that a range needs, one read ahead. @throws PartDamagedError */
export async function* readSealed(read: SealedRead): AsyncGenerator<Buffer[], void, undefined> {
  assertRange(read.range);
  let reader: PartReader;
  try {
    reader = await read.store.open(read.name, read.signal);
  } catch (error) {
    throw error instanceof PartMissingError ? new PartDamagedError(`the part ${read.name} is missing`, { cause: error }) : error;
  }
  try {
    yield* new SegmentReader(read, reader).slices();
  } catch (error) {
    throw error instanceof SealBrokenError
      ? new PartDamagedError(`the part ${read.name} is damaged: ${error.message}`, { cause: error })
      : error;
  } finally {
    await reader.close();
  }
}

function assertRange({ start, end, sizeBytes }: SealedRead['range']): void {
  if (!(start >= 0 && start <= end && end <= sizeBytes))
    throw new RangeError(`no range of ${sizeBytes} bytes: ${start} to ${end}`);
}

interface FetchedSegment {
  readonly sealed: Buffer;
  readonly giveBack: () => void;
}

class SegmentReader {
  readonly #read: SealedRead;
  readonly #reader: PartReader;
  #cipher: PartCipher | undefined;
  #ahead: Promise<FetchedSegment> | undefined;

  constructor(read: SealedRead, reader: PartReader) {
    this.#read = read;
    this.#reader = reader;
  }

  async *slices(): AsyncGenerator<Buffer[], void, undefined> {
    const { geometry, range, signal } = this.#read;
    const expectedBytes = sealedSize(geometry, range.sizeBytes);
    if (this.#reader.sizeBytes !== expectedBytes) {
      throw new SealBrokenError(`it has ${this.#reader.sizeBytes} bytes where ${expectedBytes} belong`);
    }
    const last = segmentCount(geometry, range.sizeBytes) - 1;
    const first = range.start === range.end ? last : segmentAt(geometry, range.start);
    const end = range.start === range.end ? last : segmentAt(geometry, range.end - 1);
    try {
      for (let segment = first; segment <= end; segment += 1) {
        signal?.throwIfAborted();
        const fetched = await (this.#ahead ?? this.#fetch(segment));
        this.#ahead = segment < end ? this.#fetchAhead(segment + 1) : undefined;
        const plainAt = plainStart(geometry, segment);
        yield cut(await this.#open(fetched, segment, segment === last), range.start - plainAt, range.end - plainAt);
      }
    } finally {
      // A read in flight must not outlive its file.
      const ahead = await this.#ahead?.catch(() => undefined);
      ahead?.giveBack();
    }
  }

  async #open(fetched: FetchedSegment, segment: number, isLast: boolean): Promise<Buffer[]> {
    const { key, name } = this.#read;
    try {
      const { sealed } = fetched;
      const header = segment === 0 ? sealed.subarray(0, headerBytes) : undefined;
      this.#cipher ??= PartCipher.read(header ?? (await this.#readHeader()), key.material, name);
      return openSegment(this.#cipher, segment, isLast, header === undefined ? sealed : sealed.subarray(headerBytes));
    } finally {
      fetched.giveBack();
    }
  }

  async #readHeader(): Promise<Buffer> {
    const header = Buffer.allocUnsafe(headerBytes);
    return header.subarray(0, await this.#reader.read(0, header));
  }

  /** Reads the segment when a buffer is to spare; otherwise it is fetched when its turn comes. */
  #fetchAhead(segment: number): Promise<FetchedSegment> | undefined {
    const pooled = this.#read.pool.tryTakeAhead();
    if (pooled === undefined) return undefined;
    const ahead = this.#fill(segment, pooled);
    // It may fail while the consumer is busy, long before anybody waits for it.
    ahead.catch(() => undefined);
    return ahead;
  }

  async #fetch(segment: number): Promise<FetchedSegment> {
    if (this.#sealedBytes(segment) > smallBytes) return this.#fill(segment, await this.#read.pool.take(this.#read.signal));
    return this.#fill(segment, { buffer: Buffer.allocUnsafe(this.#sealedBytes(segment)), giveBack: () => undefined });
  }

  async #fill(segment: number, { buffer, giveBack }: PooledBuffer): Promise<FetchedSegment> {
    const target = buffer.subarray(0, this.#sealedBytes(segment));
    try {
      const filled = await this.#reader.read(segment * this.#read.geometry.segmentBytes, target);
      return { sealed: target.subarray(0, filled), giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** The first segment counts with the header before it. */
  #sealedBytes(segment: number): number {
    const { segmentBytes } = this.#read.geometry;
    return Math.min(this.#reader.sizeBytes - segment * segmentBytes, segmentBytes);
  }
}

/** The part of a segment's slices that lies in `[start, end)`, counted from the segment's first byte. */
function cut(slices: readonly Buffer[], start: number, end: number): Buffer[] {
  const kept: Buffer[] = [];
  let position = 0;
  for (const slice of slices) {
    const from = Math.max(0, start - position);
    const to = Math.min(slice.length, end - position);
    if (from < to) kept.push(from === 0 && to === slice.length ? slice : slice.subarray(from, to));
    position += slice.length;
  }
  return kept;
}
