import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ToWriter } from './messages.ts';

/** Where databases get their writer threads from. */
export interface WriterThreads {
  /** One that no other database uses. */
  take(): Worker;
  /** Its database is closed, and it may open another. */
  giveBack(thread: Worker): Promise<void>;
}

/** Each database has a thread to itself, which ends with it. */
export const ownThreads: WriterThreads = { take: startWriterThread, giveBack: endWriterThread };

export function startWriterThread(): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  return new Worker(new URL(isSource ? './writer.ts' : './writer.js', import.meta.url), {
    name: 'sqlite-writer',
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
    execArgv: isSource ? ['--conditions=source'] : [],
  });
}

async function endWriterThread(thread: Worker): Promise<void> {
  const exited = once(thread, 'exit');
  thread.postMessage({ kind: 'end' } satisfies ToWriter);
  await exited;
}
