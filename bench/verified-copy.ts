import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { HttpConnection } from './http-connection.ts';

/**
 * Bytes per second of one plain copy over the loopback: a server that sends a file, a client that hashes what comes, writes it to
 * a file and syncs it. Neither encrypts. What a replica's copying is measured against.
 */
export async function verifiedCopyRate(bytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'copy-bench-'));
  const server = new Worker(new URL('./verified-copy-worker.ts', import.meta.url), {
    workerData: { path: join(folder, 'from'), bytes },
  });
  try {
    const [port] = (await once(server, 'message')) as [number];
    const connection = new HttpConnection(new URL(`http://127.0.0.1:${port}`));
    const file = await open(join(folder, 'to'), 'wx');
    const hash = createHash('sha256');
    const began = performance.now();
    const writes: Promise<unknown>[] = [];
    const onChunk = (chunk: Buffer): void => {
      hash.update(chunk);
      writes.push(file.write(Buffer.from(chunk)));
    };
    await connection.call({ method: 'GET', path: '/', onChunk });
    await Promise.all(writes);
    await file.sync();
    hash.digest('hex');
    const seconds = (performance.now() - began) / 1000;
    await file.close();
    connection.close();
    return bytes / seconds;
  } finally {
    await server.terminate();
    await rm(folder, { recursive: true });
  }
}
