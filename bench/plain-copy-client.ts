import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { HttpConnection } from './http-connection.ts';

const { url, path } = workerData as { readonly url: string; readonly path: string };

const file = await open(path, 'wx');
const hash = createHash('sha256');
const began = performance.now();
const writes = new Set<Promise<void>>();
/** Buffers are used again: new memory would have to be had from the system first. */
const spare: Buffer[] = [];
let position = 0;
const onChunk = (chunk: Buffer): void => {
  hash.update(chunk);
  const last = spare.pop();
  const buffer =
    last !== undefined && last.length >= chunk.length ? last : Buffer.allocUnsafeSlow(Math.max(65_536, chunk.length));
  chunk.copy(buffer);
  const write = file.write(buffer, 0, chunk.length, position).then(() => {
    writes.delete(write);
    spare.push(buffer);
  });
  writes.add(write);
  position += chunk.length;
};
const connection = new HttpConnection(new URL(url));
await connection.call({ method: 'GET', path: '/', onChunk });
await Promise.all(writes);
await file.sync();
hash.digest('hex');
parentPort?.postMessage((performance.now() - began) / 1000);
connection.close();
await file.close();
