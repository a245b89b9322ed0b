import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Reply, StreamBody } from './route.ts';

type Headers = Record<string, string | number>;

/** Writes an answer. Resolves when it was handed to the socket; rejects when the body's source failed. */
export async function sendReply(response: ServerResponse, reply: Reply, base: Headers, isHead: boolean): Promise<void> {
  const headers: Headers = { ...base, ...reply.headers };
  const { body, status } = reply;
  if (body === undefined) {
    if (status !== 204 && status !== 304) headers['Content-Length'] = 0;
    response.writeHead(status, headers).end();
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    sendWhole(response, status, headers, body, isHead);
  } else if ('json' in body) {
    headers['Content-Type'] = 'application/json; charset=utf-8';
    sendWhole(response, status, headers, JSON.stringify(body.json), isHead);
  } else {
    headers['Content-Length'] = body.lengthBytes;
    await sendStream(response, status, headers, body, isHead);
  }
}

function sendWhole(response: ServerResponse, status: number, headers: Headers, body: string | Uint8Array, isHead: boolean): void {
  headers['Content-Length'] = Buffer.byteLength(body);
  response.writeHead(status, headers);
  if (isHead) response.end();
  else response.end(body);
}

async function sendStream(response: ServerResponse, status: number, headers: Headers, body: StreamBody, isHead: boolean): Promise<void> {
  if (isHead || body.lengthBytes === 0) {
    response.writeHead(status, headers).end();
    return;
  }
  const chunks = body.open()[Symbol.asyncIterator]();
  // The first bytes decide whether the status can be kept: damage found here is still an error answer.
  let next = await chunks.next();
  response.writeHead(status, headers);
  try {
    for (; next.done !== true; next = await chunks.next()) {
      if (response.destroyed) return;
      if (!writeAll(response, next.value)) await drained(response);
    }
    response.end();
  } catch (error) {
    // The length is promised: a broken connection is the only honest way to say that the rest is missing.
    response.destroy();
    throw error;
  } finally {
    await chunks.return?.();
  }
}

function writeAll(response: ServerResponse, buffers: readonly Buffer[]): boolean {
  response.cork();
  let hasRoom = true;
  for (const buffer of buffers) hasRoom = response.write(buffer);
  response.uncork();
  return hasRoom;
}

async function drained(response: ServerResponse): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([once(response, 'drain', { signal: done.signal }), once(response, 'close', { signal: done.signal })]);
  } finally {
    done.abort();
  }
}
