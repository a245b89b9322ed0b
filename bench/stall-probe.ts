import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Target } from './registry-session.ts';

/** Asks `/v2/` again and again on a connection of its own while something else runs. */
export interface StallProbe {
  /** Ends the probe. Milliseconds: the 99th percentile and the worst answer. */
  stop(): Promise<{ readonly p99Ms: number; readonly worstMs: number; readonly samples: number }>;
}

/** In a thread of its own: the ten clients share one loop, and their stalls are not the server's. */
export async function probeStalls({ url }: Target): Promise<StallProbe> {
  const { host, hostname, port } = url;
  const worker = new Worker(new URL('./stall-probe-worker.ts', import.meta.url), { workerData: { host, hostname, port } });
  await once(worker, 'online');
  return {
    stop: async () => {
      const answered = once(worker, 'message') as Promise<[number[]]>;
      worker.postMessage('stop');
      const times = (await answered)[0].toSorted((left, right) => left - right);
      const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
      return { p99Ms: at(0.99), worstMs: at(1), samples: times.length };
    },
  };
}
