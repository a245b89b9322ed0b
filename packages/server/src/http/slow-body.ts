import type { IncomingMessage } from 'node:http';

export interface SlowBodyRule {
  /** How often progress is looked at. */
  readonly windowMs: number;
  /** Bytes that must arrive in a window while somebody reads. */
  readonly minBytes: number;
}

/**
 * Cuts a client off that sends its body drop by drop (attack 8): it would hold a connection for ever. A body that the
 * server itself has paused is not slow. Returns a function that ends the watch.
 */
export function watchSlowBody(request: IncomingMessage, rule: SlowBodyRule): () => void {
  let before = request.socket.bytesRead;
  const timer = setInterval(() => {
    const now = request.socket.bytesRead;
    if (!request.complete && !request.isPaused() && now - before < rule.minBytes) request.destroy(new Error('the body arrives too slowly'));
    before = now;
  }, rule.windowMs);
  timer.unref();
  return () => clearInterval(timer);
}
