import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';

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
    const server = new Worker(new URL('./plain-copy-server.ts', import.meta.url), { workerData: { path: from, bytes } });
    try {
      const [port] = (await once(server, 'message')) as [number];
      return bytes / (await secondsOfCopy(`http://127.0.0.1:${port}`, to));
    } finally {
      await server.terminate();
    }
  }

  dispose(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }
}

/** In a thread that ends: what it leaves in memory would be in the way of whatever is measured next. */
async function secondsOfCopy(url: string, path: string): Promise<number> {
  const client = new Worker(new URL('./plain-copy-client.ts', import.meta.url), { workerData: { url, path } });
  try {
    const [seconds] = (await once(client, 'message')) as [number];
    return seconds;
  } finally {
    await client.terminate();
  }
}
