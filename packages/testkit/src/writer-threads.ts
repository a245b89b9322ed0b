import type { Worker } from 'node:worker_threads';
import { type WriterThreads, startWriterThread } from '@berth/server/database';

const idle: Worker[] = [];

/** Threads open one database after another: to start one costs more than most tests. Idle ones do not hold the process up. */
export const reusedThreads: WriterThreads = {
  take: () => {
    const thread = idle.pop() ?? startWriterThread();
    thread.ref();
    return thread;
  },
  giveBack: async (thread) => {
    thread.unref();
    idle.push(thread);
  },
};
