export { openSegment } from './open-segment.ts';
export { PartCipher } from './part-cipher.ts';
export { PartSealer, type PartSealerOptions } from './part-sealer.ts';
export { openBytes, sealBytes } from './seal-bytes.ts';
export { SealBrokenError } from './seal-broken-error.ts';
export {
  type SegmentGeometry,
  headerBytes,
  partGeometry,
  plainCapacity,
  plainStart,
  sealedSize,
  sealedStart,
  segmentAt,
  segmentCount,
  tagBytes,
} from './segment-geometry.ts';
