import type { Exchange } from './exchange.ts';

/** A body that ends within so many bytes is read away and the connection goes on. */
const keepAliveBytes = 64 * 1024;
/** Of a longer one so much is read, for so long, so that the client sees the answer and not a reset. */
const drainBytes = 16 * 1024 * 1024;
const drainMs = 5_000;

/** What an answer before the end of the body means for the connection. */
export function mustClose({ hasBody, contentLength, request }: Exchange): boolean {
  return hasBody && !request.complete && (contentLength === undefined || contentLength > keepAliveBytes);
}

/**
 * Ends an answer whose bytes have all been written, on a connection that closes after it. While the client still sends,
 * closing would make its system drop the answer unread (RFC 9112, section 9.6): so the rest is read away first, within
 * bounds.
 */
export function endAfterBody({ request, response, isStalled }: Exchange): void {
  if (request.complete || request.destroyed || isStalled) {
    response.end();
    return;
  }
  let left = drainBytes;
  const finish = (): void => {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('error', finish).off('close', finish);
    response.end();
  };
  const onData = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) finish();
  };
  const timer = setTimeout(finish, drainMs);
  timer.unref();
  request.on('data', onData).on('end', finish).on('error', finish).on('close', finish);
  request.resume();
}
