import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheUse } from '../run/run-host.ts';
import { diskUse } from './disk-watch.ts';

/** Spaces never begin so. */
const goingPrefix = 'removed-';
/** Holds the names of those that are used: after an agent was killed, of those where something may be left. */
const usedName = 'in-use';
/** How often folders are counted: it takes as long as they have files. */
const pruneEveryMs = 10 * 60_000;

export interface BuildCachesOptions {
  /** All of them together, on disk. */
  readonly maxBytes: number;
  /** Removes a folder with all that is in it. */
  remove(path: string): Promise<void>;
  /** Removes what is kept elsewhere for a folder that was removed. */
  forget(space: string): Promise<void>;
  /** Milliseconds, of any beginning. */
  now(): number;
  log(message: string): void;
}

interface UsedCache {
  users: number;
  readonly ready: Promise<void>;
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
  /** Those that builds use, by their names. */
  readonly #used = new Map<string, UsedCache>();
  readonly #forgetting = new Map<string, Promise<void>>();
  #prunedAt: number | undefined;
  #pruning: Promise<void> = Promise.resolve();

  constructor(folder: string, options: BuildCachesOptions) {
    this.#folder = folder;
    this.#options = options;
    mkdirSync(join(folder, usedName), { recursive: true, mode: 0o700 });
  }

  /** Makes ready what an agent that was killed was using: what it left is removed. */
  async recover(prepareOf: (space: string) => CacheUse['prepare']): Promise<void> {
    for (const space of readdirSync(join(this.#folder, usedName))) {
      try {
        (await this.open(space, prepareOf(space))).close();
      } catch (error) {
        this.#options.log(`what builds left in ${space} could not be removed: ${(error as Error).message}`);
      }
    }
  }

  /**
   * @param space letters and digits, which nobody can guess who may not share it
   * @param prepare called for the first of those who use it at the same time; the others wait
   */
  async open(space: string, prepare: CacheUse['prepare']): Promise<OpenCache> {
    const path = join(this.#folder, space);
    for (const folder of [path, join(this.#folder, usedName)]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const used = this.#used.get(space) ?? { users: 0, ready: this.#prepare(space, prepare) };
    used.users += 1;
    this.#used.set(space, used);
    writeFileSync(join(this.#folder, usedName, space), '');
    try {
      await used.ready;
    } catch (error) {
      this.#leave(space, used);
      throw error;
    }
    return {
      path,
      close: () => {
        this.#leave(space, used);
        this.prune();
      },
    };
  }

  /** Resolves when nothing is being removed. */
  settled(): Promise<void> {
    return this.#pruning;
  }

  async #prepare(space: string, prepare: CacheUse['prepare']): Promise<void> {
    await this.#forgetting.get(space);
    await prepare(join(this.#folder, space), (each) => this.#remove(each));
  }

  #leave(space: string, used: UsedCache): void {
    used.users -= 1;
    if (used.users === 0) {
      this.#used.delete(space);
      rmSync(join(this.#folder, usedName, space), { force: true });
    }
    const now = new Date();
    try {
      utimesSync(join(this.#folder, space), now, now);
    } catch {
      // Somebody has cleared the folder by hand.
    }
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
      this.#names().map(async (name) => ({ name, usedAt: (await lstat(join(this.#folder, name))).mtimeMs })),
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
      if (left >= 0 || this.#used.has(name)) continue;
      const taken = this.#takeAway(name);
      const forgetting = this.#try(name, this.#options.forget(name));
      this.#forgetting.set(name, forgetting);
      await forgetting;
      this.#forgetting.delete(name);
      await this.#remove(taken);
    }
  }

  #names(): readonly string[] {
    return readdirSync(this.#folder).filter((name) => name !== usedName);
  }

  /** Gives a folder another name, for it may be wanted again before all of it is removed. */
  #takeAway(name: string): string {
    const path = join(this.#folder, `${goingPrefix}${name}`);
    renameSync(join(this.#folder, name), path);
    return path;
  }

  #remove(path: string): Promise<void> {
    return this.#try(path, this.#options.remove(path));
  }

  async #try(what: string, removing: Promise<void>): Promise<void> {
    await removing.catch((error: Error) => this.#options.log(`${what} could not be removed: ${error.message}`));
  }
}
