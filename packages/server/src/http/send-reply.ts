import type { ServerResponse } from 'node:http';
import { releaseMemory } from '../platform/memory/index.ts';
import type { Exchange } from './exchange.ts';
import type { LiveBody, Reply, StreamBody } from './route.ts';
import { type TransferRule, watchTransfer } from './transfer-watch.ts';
import { endAfterBody, mustClose } from './unread-body.ts';

export type Headers = Record<string, string | number>;

export interface SendOptions {
  /** Which takers are too slow. */
  readonly rule: TransferRule;
  /** Aborts when the server stops: live bodies end. */
  readonly stopping: AbortSignal;
}

/** Writes an answer. Resolves when it was handed to the connection; rejects when the body's source failed. */
export async function sendReply(exchange: Exchange, reply: Reply, base: Headers, { rule, stopping }: SendOptions): Promise<void> {
  const headers: Headers = Object.assign(base, reply.headers);
  const { body, status } = reply;
  if (body === undefined || status === 204 || status === 304) {
    if (status !== 204 && status !== 304) headers['Content-Length'] = 0;
    sendWhole(exchange, status, headers, undefined);
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    headers['Content-Length'] = Buffer.byteLength(body);
    sendWhole(exchange, status, headers, body);
  } else if ('json' in body) {
    const text = JSON.stringify(body.json);
    headers['Content-Type'] ??= 'application/json; charset=utf-8';
    headers['Content-Length'] = Buffer.byteLength(text);
    sendWhole(exchange, status, headers, text);
  } else if ('live' in body) {
    if (exchange.request.method === 'HEAD') sendWhole(exchange, status, headers, undefined);
    else await sendLive(exchange, { status, headers, body, rule, stopping });
  } else {
    headers['Content-Length'] = body.lengthBytes;
    if (exchange.request.method === 'HEAD' || body.lengthBytes === 0) sendWhole(exchange, status, headers, undefined);
    else await sendStream(exchange, { status, headers, body, rule });
  }
}

function sendWhole(exchange: Exchange, status: number, headers: Headers, body: string | Uint8Array | undefined): void {
  const { response, request } = exchange;
  const sent = request.method === 'HEAD' ? undefined : body;
  const isClosing = mustClose(exchange);
  if (isClosing) headers['Connection'] = 'close';
  response.writeHead(status, headers);
  if (sent !== undefined) exchange.sentBytes = Number(headers['Content-Length']);
  if (!isClosing) {
    response.end(sent);
    return;
  }
  if (sent === undefined) response.flushHeaders();
  else response.write(sent);
  endAfterBody(exchange);
}

interface StreamReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: StreamBody;
  readonly rule: TransferRule;
}

async function sendStream(exchange: Exchange, { status, headers, body, rule }: StreamReply): Promise<void> {
  const { response } = exchange;
  const chunks = body.open()[Symbol.asyncIterator]();
  // The first bytes decide whether the status can be kept: damage found here is still an error answer.
  let next = await chunks.next();
  if (mustClose(exchange)) headers['Connection'] = 'close';
  const stopWatching = watchTaking(response, rule);
  try {
    response.writeHead(status, headers);
    for (; next.done !== true; next = await chunks.next()) {
      if (response.destroyed) return;
      for (const { length } of next.value) exchange.sentBytes += length;
      const hasRoom = writeAll(response, next.value);
      if (!hasRoom) await drained(response);
    }
    if (exchange.sentBytes !== body.lengthBytes)
      throw new Error(`a body of ${exchange.sentBytes} bytes was announced with ${body.lengthBytes}`);
    response.end();
  } catch (error) {
    // The length is promised: a broken connection is the only honest way to say that the rest is missing.
    response.destroy();
    throw error;
  } finally {
    stopWatching();
    await chunks.return?.();
  }
}

interface LiveReply extends SendOptions {
  readonly status: number;
  readonly headers: Headers;
  readonly body: LiveBody;
}

/** In chunks, each as soon as it is there. A silence is the source's own; a client that takes nothing is cut off all the same. */
async function sendLive(exchange: Exchange, { status, headers, body, rule, stopping }: LiveReply): Promise<void> {
  const { response } = exchange;
  if (mustClose(exchange)) headers['Connection'] = 'close';
  const chunks = body.live()[Symbol.asyncIterator]();
  const over = Promise.withResolvers<'over'>();
  const end = (): void => over.resolve('over');
  const stopWatching = watchTaking(response, rule);
  response.once('close', end);
  stopping.addEventListener('abort', end, { once: true });
  try {
    response.writeHead(status, headers);
    response.flushHeaders();
    while (!stopping.aborted && !response.destroyed) {
      const next = await Promise.race([chunks.next(), over.promise]);
      if (next === 'over' || next.done === true) break;
      exchange.sentBytes += Buffer.byteLength(next.value);
      if (!response.write(next.value)) await Promise.race([drained(response), over.promise]);
    }
    response.end();
  } catch (error) {
    // Without its last chunk a client sees that something is missing.
    response.destroy();
    throw error;
  } finally {
    stopWatching();
    response.off('close', end);
    stopping.removeEventListener('abort', end);
    exchange.abandon();
    await chunks.return?.();
  }
}

/** Cuts off a client that takes its answer drop by drop: it would hold segments and a store's file. */
function watchTaking(response: ServerResponse, rule: TransferRule): () => void {
  const { socket } = response;
  if (socket === null) return () => undefined;
  return watchTransfer(
    {
      bytes: () => (socket.bytesWritten ?? 0) - socket.writableLength,
      isWaiting: () => response.writableNeedDrain,
      onStall: () => response.destroy(),
    },
    rule,
  );
}

/** One array becomes one system call. */
function writeAll(response: ServerResponse, buffers: readonly Buffer[]): boolean {
  // Only a write that ended well is known to need the bytes no more.
  const release = (error: Error | null | undefined): void => {
    if (error === null || error === undefined) for (const buffer of buffers) releaseMemory(buffer);
  };
  const last = buffers.length - 1;
  let hasRoom = true;
  response.cork();
  for (const [index, buffer] of buffers.entries())
    hasRoom = index === last ? response.write(buffer, release) : response.write(buffer);
  response.uncork();
  return hasRoom;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      response.off('drain', finish).off('close', finish);
      resolve();
    };
    response.on('drain', finish).on('close', finish);
    if (response.destroyed) finish();
  });
}
