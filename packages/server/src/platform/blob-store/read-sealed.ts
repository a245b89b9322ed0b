import type { DataKey } from '../keys/data-key.ts';
import { PartCipher, SealBrokenError, type SegmentGeometry, headerBytes, openSegment, plainCapacity, sealedSize, sealedStart, segmentAt, segmentCount } from '../sealing/index.ts';
import { type BlobStore, PartMissingError, type PartName, type PartReader } from './blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';
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

/** Opens the segments that a range needs, one read ahead. @throws PartDamagedError */
export async function* readSealed(read: SealedRead): AsyncGenerator<Buffer[], void, undefined> {
  let reader: PartReader;
  try {
    reader = await read.store.open(read.name, read.signal);
  } catch (error) {
    throw error instanceof PartMissingError ? new PartDamagedError(`the part ${read.name} is missing`, { cause: error }) : error;
  }
  try {
    yield* readSegments(read, reader);
  } catch (error) {
    throw error instanceof SealBrokenError ? new PartDamagedError(`the part ${read.name} is damaged: ${error.message}`, { cause: error }) : error;
  } finally {
    await reader.close();
  }
}

async function* readSegments(read: SealedRead, reader: PartReader): AsyncGenerator<Buffer[], void, undefined> {
  const { geometry, range, signal } = read;
  if (reader.sizeBytes !== sealedSize(geometry, range.sizeBytes)) {
    throw new SealBrokenError(`it has ${reader.sizeBytes} bytes where ${sealedSize(geometry, range.sizeBytes)} belong`);
  }
  const last = segmentCount(geometry, range.sizeBytes) - 1;
  const first = segmentAt(geometry, range.start).index;
  const end = range.end > range.start ? segmentAt(geometry, range.end - 1).index : first;
  const cipher = PartCipher.read(await readHeader(reader), read.key.material, read.name);
  let ahead = fetchSegment(read, reader, first);
  try {
    for (let segment = first; segment <= end; segment += 1) {
      signal?.throwIfAborted();
      const { buffer, sealed } = await ahead;
      if (segment < end) ahead = fetchSegment(read, reader, segment + 1);
      const slices = openSegment(cipher, segment, segment === last, sealed);
      read.pool.giveBack(buffer);
      const plainStart = segment === 0 ? 0 : plainCapacity(geometry, 0) + (segment - 1) * plainCapacity(geometry, 1);
      yield cut(slices, range.start - plainStart, range.end - plainStart);
    }
  } finally {
    // A read in flight must not outlive its file.
    await ahead.catch(() => undefined);
  }
}

interface FetchedSegment {
  /** From the pool. */
  readonly buffer: Buffer;
  readonly sealed: Buffer;
}

async function readHeader(reader: PartReader): Promise<Buffer> {
  const header = Buffer.allocUnsafe(headerBytes);
  return header.subarray(0, await reader.read(0, header));
}

async function fetchSegment({ pool, geometry }: SealedRead, reader: PartReader, segment: number): Promise<FetchedSegment> {
  const start = sealedStart(geometry, segment);
  const end = Math.min(reader.sizeBytes, (segment + 1) * geometry.segmentBytes);
  const buffer = pool.take();
  const sealed = buffer.subarray(0, end - start);
  const filled = await reader.read(start, sealed);
  return { buffer, sealed: sealed.subarray(0, filled) };
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
