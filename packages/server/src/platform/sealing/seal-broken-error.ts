/** Sealed bytes do not open: changed, cut short, moved, or sealed with another key. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}
