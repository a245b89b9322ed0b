import { mkdirSync, readdirSync, renameSync, utimesSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskUse } from './disk-watch.ts';

/** What podman and buildah call the folder of their cache mounts, in the one for temporary files; the rest is of builds that were killed. */
const mountsPrefix = 'buildah-cache-';
/** Spaces never begin so. */
const goingPrefix = 'removed-';
/** How often folders are counted: it takes as long as they have files. */
const pruneEveryMs = 10 * 60_000;

export interface BuildCachesOptions {
  /** All of them together, on disk. */
  readonly maxBytes: number;
  /** Removes a folder with all that is in it. */
  remove(path: string): Promise<void>;
  /** Milliseconds, of any beginning. */
  now(): number;
  log(message: string): void;
}

export interface OpenCache {
  readonly path: string;
  /** Its builds are over: it may be removed to make room. */
  close(): void;
}

/** What builds keep for the next of their kind: a folder for each who may share it, the longest unused removed when there are too many. */
export class BuildCaches {
  readonly #folder: string;
  readonly #options: BuildCachesOptions;
  /** How many builds use a folder, by its name. */
  readonly #users = new Map<string, number>();
  #prunedAt: number | undefined;
  #pruning: Promise<void> = Promise.resolve();

  constructor(folder: string, options: BuildCachesOptions) {
    this.#folder = folder;
    this.#options = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** @param space letters and digits, which nobody can guess who may not share it */
  async open(space: string): Promise<OpenCache> {
    const path = join(this.#folder, space);
    const users = this.#users.get(space) ?? 0;
    this.#users.set(space, users + 1);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (users === 0) await this.#removeRest(path);
    return { path, close: () => this.#close(space) };
  }

  /** Resolves when nothing is being removed. */
  settled(): Promise<void> {
    return this.#pruning;
  }

  #close(space: string): void {
    const users = (this.#users.get(space) ?? 1) - 1;
    if (users > 0) this.#users.set(space, users);
    else this.#users.delete(space);
    const now = new Date();
    try {
      utimesSync(join(this.#folder, space), now, now);
    } catch {
      // Somebody has cleared the folder by hand.
    }
    this.prune();
  }

  async #removeRest(path: string): Promise<void> {
    for (const name of readdirSync(path)) if (!name.startsWith(mountsPrefix)) await this.#remove(join(path, name));
  }

  /** Begins to make room, unless it has done so a moment ago. */
  prune(): void {
    const now = this.#options.now();
    if (this.#prunedAt !== undefined && now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    this.#pruning = this.#pruning
      .then(() => this.#makeRoom())
      .catch((error: Error) => this.#options.log(`caches of builds could not be counted: ${error.message}`));
  }

  async #makeRoom(): Promise<void> {
    const spaces = await Promise.all(
      readdirSync(this.#folder).map(async (name) => ({ name, usedAt: (await lstat(join(this.#folder, name))).mtimeMs })),
    );
    let left = this.#options.maxBytes;
    // The latest are kept, as far as there is room for them.
    for (const { name } of spaces.toSorted((a, b) => b.usedAt - a.usedAt)) {
      const path = join(this.#folder, name);
      if (name.startsWith(goingPrefix)) {
        await this.#remove(path);
        continue;
      }
      left -= await diskUse([path], { enough: Math.max(left, 0) });
      if (left < 0 && !this.#users.has(name)) await this.#remove(this.#takeAway(name));
    }
  }

  /** Gives a folder another name, for it may be wanted again before all of it is removed. */
  #takeAway(name: string): string {
    const path = join(this.#folder, `${goingPrefix}${name}`);
    renameSync(join(this.#folder, name), path);
    return path;
  }

  async #remove(path: string): Promise<void> {
    await this.#options.remove(path).catch((error: Error) => this.#options.log(`${path} could not be removed: ${error.message}`));
  }
}
