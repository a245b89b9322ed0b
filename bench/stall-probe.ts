import { connect } from 'node:net';
import type { Target } from './registry-session.ts';

/** Asks `/v2/` again and again on a connection of its own while something else runs. */
export interface StallProbe {
  /** Ends the probe. Milliseconds: the 99th percentile and the worst answer. */
  stop(): Promise<{ readonly p99Ms: number; readonly worstMs: number; readonly samples: number }>;
}

const pauseMs = 5;

export function probeStalls(target: Target): StallProbe {
  const times: number[] = [];
  let isStopping = false;
  const socket = connect({ host: target.url.hostname, port: Number(target.url.port), noDelay: true });
  const ended = new Promise<void>((resolve, reject) => {
    let asked = 0;
    let timer: NodeJS.Timeout | undefined;
    const ask = (): void => {
      asked = performance.now();
      socket.write(`GET /v2/ HTTP/1.1\r\nhost: ${target.url.host}\r\n\r\n`);
    };
    socket.on('connect', ask);
    socket.on('data', () => {
      times.push(performance.now() - asked);
      if (isStopping) socket.end();
      else timer = setTimeout(ask, pauseMs);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    stop: async () => {
      isStopping = true;
      await ended;
      times.sort((left, right) => left - right);
      const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
      return { p99Ms: at(0.99), worstMs: at(1), samples: times.length };
    },
  };
}
