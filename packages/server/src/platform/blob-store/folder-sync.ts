import { close, fsync, open } from 'node:fs';
import { promisify } from 'node:util';

const openFolder = promisify(open);
const syncDescriptor = promisify(fsync);
const closeFolder = promisify(close);

/**
 * Makes the names in folders durable. One sync serves all who asked before it began: those who ask while it runs share
 * the next one. Folders stay open until `close`: opening one each time costs as much as a small file's other steps.
 */
export class FolderSync {
  readonly #open = new Map<string, Promise<number>>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  sync(folder: string): Promise<void> {
    const waiting = this.#next.get(folder);
    if (waiting !== undefined) return waiting;
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    const next = running
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(folder);
        return this.#start(folder);
      });
    this.#next.set(folder, next);
    return next;
  }

  /** Call it when nothing is to be synced any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running.values());
    const folders = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(folders.map(async (folder) => closeFolder(await folder)));
  }

  #start(folder: string): Promise<void> {
    const sync = this.#descriptor(folder)
      .then(syncDescriptor)
      .finally(() => {
        if (this.#running.get(folder) === sync) this.#running.delete(folder);
      });
    this.#running.set(folder, sync);
    return sync;
  }

  #descriptor(folder: string): Promise<number> {
    const known = this.#open.get(folder);
    if (known !== undefined) return known;
    const opening = openFolder(folder, 'r');
    this.#open.set(folder, opening);
    opening.catch(() => this.#open.delete(folder));
    return opening;
  }
}

/** Makes the names in one folder durable, once. */
export async function syncFolder(folder: string): Promise<void> {
  const descriptor = await openFolder(folder, 'r');
  await syncDescriptor(descriptor).finally(() => closeFolder(descriptor));
}
