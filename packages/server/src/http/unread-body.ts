import type { IncomingMessage, ServerResponse } from 'node:http';

/** So much of a body that nobody wants is read away, so that the client sees the answer and not a reset. */
const drainBytes = 16 * 1024 * 1024;
const drainMs = 10_000;

/** After an early answer: reads the rest of the request within bounds, then cuts the connection. */
export function drainUnread(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return;
  let left = drainBytes;
  const timer = setTimeout(() => request.socket.destroy(), drainMs);
  timer.unref();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
  request.on('close', () => clearTimeout(timer));
  request.on('error', () => response.destroy());
  request.resume();
}
