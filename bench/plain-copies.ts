import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { HttpConnection } from './http-connection.ts';

/**
 * What a replica's copying is measured against. What they write stays until the end, as it does in a region: the memory of files that
 * are gone would make the next one fast.
 */
export class PlainCopies {
  readonly #folder: string;
  #number = 0;

  static async open(): Promise<PlainCopies> {
    return new PlainCopies(await mkdtemp(join(tmpdir(), 'copy-bench-')));
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Bytes per second of one plain verified copy over the loopback: a server that sends a file, a client that hashes what comes,
   * writes it to a file and syncs it. Neither encrypts.
   */
  async rate(bytes: number): Promise<number> {
    this.#number += 1;
    const [from, to] = ['from', 'to'].map((name) => join(this.#folder, `${name}${this.#number}`)) as [string, string];
    const server = new Worker(new URL('./plain-copy-worker.ts', import.meta.url), { workerData: { path: from, bytes } });
    try {
      const [port] = (await once(server, 'message')) as [number];
      return bytes / (await secondsOfCopy(new URL(`http://127.0.0.1:${port}`), to));
    } finally {
      await server.terminate();
    }
  }

  dispose(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }
}

async function secondsOfCopy(from: URL, to: string): Promise<number> {
  const connection = new HttpConnection(from);
  const file = await open(to, 'wx');
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
  return seconds;
}
