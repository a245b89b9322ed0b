/**
 * Where plaintext lies in a sealed part. Tink's streaming AEAD: a header (its length, salt, nonce prefix), then segments
 * of ciphertext of one size, each ending in its tag; the header takes its place from the first segment, the last may be
 * short. Only an empty plaintext has an empty segment.
 */
export interface SegmentGeometry {
  /** Ciphertext bytes of a full segment. */
  readonly segmentBytes: number;
}

export const saltBytes = 32;
export const noncePrefixBytes = 7;
export const headerBytes = 1 + saltBytes + noncePrefixBytes;
export const tagBytes = 16;

/** What Berth writes: 1 MiB. */
export const partGeometry: SegmentGeometry = { segmentBytes: 1 << 20 };

/** Plaintext bytes that segment `index` holds when it is full. */
export function plainCapacity({ segmentBytes }: SegmentGeometry, index: number): number {
  return segmentBytes - tagBytes - (index === 0 ? headerBytes : 0);
}

/** The segment that holds the plaintext byte at `offset`. */
export function segmentAt({ segmentBytes }: SegmentGeometry, offset: number): number {
  return Math.floor((offset + headerBytes) / (segmentBytes - tagBytes));
}

/** The offset of a segment's first plaintext byte. */
export function plainStart({ segmentBytes }: SegmentGeometry, index: number): number {
  return index === 0 ? 0 : index * (segmentBytes - tagBytes) - headerBytes;
}

/** Where a segment's ciphertext begins in the sealed part. */
export function sealedStart(geometry: SegmentGeometry, index: number): number {
  return index === 0 ? headerBytes : index * geometry.segmentBytes;
}

export function segmentCount(geometry: SegmentGeometry, plainBytes: number): number {
  return plainBytes === 0 ? 1 : segmentAt(geometry, plainBytes - 1) + 1;
}

/** Size of a sealed part from the size of its plaintext. */
export function sealedSize(geometry: SegmentGeometry, plainBytes: number): number {
  return headerBytes + plainBytes + tagBytes * segmentCount(geometry, plainBytes);
}
