import type { PartCipher } from './part-cipher.ts';
import { SealBrokenError } from './seal-broken-error.ts';
import { tagBytes } from './segment-geometry.ts';

/** Large outputs would each cost fresh pages of memory. */
const sliceBytes = 128 * 1024;

/**
 * Opens one segment and returns its plaintext in slices. Nothing is returned before the tag has been checked.
 * @throws SealBrokenError
 */
export function openSegment(cipher: PartCipher, segment: number, isLast: boolean, sealed: Uint8Array): Buffer[] {
  if (sealed.length < tagBytes) throw new SealBrokenError(`segment ${segment} is cut short`);
  const decipher = cipher.open(segment, isLast);
  const end = sealed.length - tagBytes;
  decipher.setAuthTag(sealed.subarray(end));
  const slices: Buffer[] = [];
  for (let start = 0; start < end; start += sliceBytes)
    slices.push(decipher.update(sealed.subarray(start, Math.min(end, start + sliceBytes))));
  try {
    decipher.final();
  } catch (error) {
    throw new SealBrokenError(`segment ${segment} does not open`, { cause: error });
  }
  return slices;
}
