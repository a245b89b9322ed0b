import type { DataKey } from '../keys/data-key.ts';
import { openSegment } from './open-segment.ts';
import { PartCipher } from './part-cipher.ts';
import { PartSealer } from './part-sealer.ts';
import { SealBrokenError } from './seal-broken-error.ts';
import { type SegmentGeometry, headerBytes, partGeometry, sealedStart } from './segment-geometry.ts';

/** Seals a small document whole, in the format of parts. The associated data must be given again to open it. */
export function sealBytes(
  key: DataKey,
  associatedData: string,
  plain: Uint8Array,
  geometry: SegmentGeometry = partGeometry,
): Buffer {
  const sealer = new PartSealer({ material: key.material, associatedData, expectedBytes: plain.length, geometry });
  // The sealer frees what it takes, and the document is still the caller's.
  return Buffer.concat([...sealer.take(Uint8Array.from(plain)), ...sealer.end()]);
}

/** @throws SealBrokenError when the bytes were changed, cut, or sealed for something else */
export function openBytes(
  key: DataKey,
  associatedData: string,
  sealed: Uint8Array,
  geometry: SegmentGeometry = partGeometry,
): Buffer {
  if (sealed.length < headerBytes) throw new SealBrokenError('shorter than a header');
  const cipher = PartCipher.read(sealed.subarray(0, headerBytes), key.material, associatedData);
  const plain: Buffer[] = [];
  for (let segment = 0; ; segment += 1) {
    const start = sealedStart(geometry, segment);
    const end = Math.min(sealed.length, (segment + 1) * geometry.segmentBytes);
    const isLast = end === sealed.length;
    plain.push(...openSegment(cipher, segment, isLast, sealed.subarray(start, end)));
    if (isLast) return Buffer.concat(plain);
  }
}
