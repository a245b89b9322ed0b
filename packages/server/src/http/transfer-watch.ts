/** A client that transfers less than `minBytes` in `windowMs`, while the server waits for it, is too slow. */
export interface TransferRule {
  readonly windowMs: number;
  readonly minBytes: number;
}

export interface Transfer {
  /** Bytes that got through since the connection began. */
  readonly bytes: () => number;
  /** Whether it is the client that the server waits for: what the server itself holds up is not slow. */
  readonly isWaiting: () => boolean;
  /** Called once, when the client is too slow. */
  readonly onStall: () => void;
}

/**
 * Finds clients that send or take a body drop by drop (attack 8): each would hold a connection, a buffer and perhaps an
 * upload for ever. One window without progress and a rate that is too low are the same thing here. Returns a function
 * that ends the watch.
 */
export function watchTransfer(transfer: Transfer, rule: TransferRule): () => void {
  let before = transfer.bytes();
  // Counts only windows in which the client was waited for from end to end.
  let wasWaiting = transfer.isWaiting();
  const timer = setInterval(() => {
    const now = transfer.bytes();
    const isWaiting = transfer.isWaiting();
    if (wasWaiting && isWaiting && now - before < rule.minBytes) {
      clearInterval(timer);
      transfer.onStall();
    }
    before = now;
    wasWaiting = isWaiting;
  }, rule.windowMs);
  timer.unref();
  return () => clearInterval(timer);
}
