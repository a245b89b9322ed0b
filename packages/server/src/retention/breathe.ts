import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets requests through before the next page: SQLite reads in their thread. @throws what the signal was aborted with */
export async function breathe(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await nextTurn();
}
