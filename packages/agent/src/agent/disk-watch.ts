import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from './pauses.ts';

const lookMs = 5_000;

export interface DiskWatch {
  /** What folders take is counted, */
  readonly folders: ReadonlySet<string>;
  /** and what is elsewhere is asked for. */
  others(signal: AbortSignal): Promise<number>;
  readonly maxBytes: number;
  onTooMuch(bytes: number): void;
  readonly signal: AbortSignal;
}

/** Looks every few seconds how much there is on disk, and tells once when that is more than it may. Ends with the signal. */
export async function watchDisk({ folders, others, maxBytes, onTooMuch, signal }: DiskWatch): Promise<void> {
  try {
    for (;;) {
      await pause(lookMs, signal);
      const bytes = (await diskUse(folders, { enough: maxBytes, signal })) + (await others(signal));
      if (bytes > maxBytes) {
        onTooMuch(bytes);
        return;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** What folders take on disk; counting ends above `enough`. Links are not followed, and what vanishes meanwhile does not count. */
export async function diskUse(
  roots: Iterable<string>,
  { enough, signal }: { readonly enough: number; readonly signal?: AbortSignal },
): Promise<number> {
  let bytes = 0;
  const folders = [...roots];
  for (let path = folders.pop(); path !== undefined && bytes <= enough; path = folders.pop()) {
    signal?.throwIfAborted();
    try {
      for await (const entry of await opendir(path)) {
        const child = join(path, entry.name);
        if (entry.isDirectory()) folders.push(child);
        const facts = await lstat(child).catch(() => undefined);
        // Blocks, not sizes: a sparse file takes less, many small ones take more.
        bytes += facts === undefined ? 0 : process.platform === 'win32' ? facts.size : facts.blocks * 512;
        if (bytes > enough) break;
      }
    } catch {
      // A step has just deleted it, or closed it to this user.
    }
  }
  return bytes;
}
