import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { removeMounted } from './remove-mounted.ts';
import { type Storage, imageIn } from './storage.ts';

/** Where a store is. */
export interface StorePlace {
  readonly folder: string;
  /** What is only true until the machine starts again. Podman wants a path of 50 characters at the most. */
  readonly runRoot: string;
}

/** An image as a Dockerfile names it. */
export interface NamedImage {
  readonly id: string;
  /** `registry/repository:tag`, or with the digest alone. */
  readonly name: string;
  /** Of a name with a digest: where it is from. */
  readonly pinnedAt: string | undefined;
  readonly platform: string | undefined;
}

/** Podman's own notes, above all where its `runRoot` was. There are no containers of its own in here. */
const ownNotes = ['libpod', 'db.sql'];
/** Says that what is in a store is not to be found any more. */
const outdatedName = 'outdated';

/**
 * Images and layers of some builds, apart from all others that podman or buildah have: those find the layer of a step by what the
 * step says and what is below it, whoever built it. Images come in and out as copies.
 */
export class LayerStore {
  /** Builds with what is in here. */
  readonly engine: Engine;
  readonly #main: Engine;
  readonly #mainStorage: Storage;
  readonly #storage: Storage;

  /** @param place where the engine's machine can have one, made ready by `prepare` */
  constructor(main: Engine, mainStorage: Storage, place: StorePlace) {
    this.#main = main;
    this.#mainStorage = mainStorage;
    this.#storage = { ...mainStorage, root: place.folder, runRoot: place.runRoot };
    this.engine = main.withStorage(this.#storage);
  }

  /** Removes what killed builds left; a store that cannot be used is begun anew. Nobody may be using it. @throws EngineError where there can be none */
  async prepare(signal: AbortSignal): Promise<void> {
    const { root, runRoot } = this.#storage;
    await rm(runRoot, { recursive: true, force: true });
    await mkdir(runRoot, { recursive: true, mode: 0o700 });
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const name of ownNotes) await rm(join(root, name), { recursive: true, force: true });
    if (existsSync(join(root, outdatedName))) await this.#beginAnew(signal);
    try {
      await this.#removeRest(signal);
    } catch {
      signal.throwIfAborted();
      await this.#beginAnew(signal);
      await this.#removeRest(signal);
    }
  }

  /** Has the next `prepare` begin anew: of two images of a step, the older one would be found. */
  async outdate(): Promise<void> {
    await mkdir(this.#storage.root, { recursive: true, mode: 0o700 });
    await writeFile(join(this.#storage.root, outdatedName), '');
  }

  async #beginAnew(signal: AbortSignal): Promise<void> {
    await removeMounted(this.#storage.root, this.#main, signal);
    await mkdir(this.#storage.root, { mode: 0o700 });
  }

  async #removeRest(signal: AbortSignal): Promise<void> {
    const list = this.engine.name === 'buildah' ? ['containers', '--all', '--quiet'] : ['ps', '--all', '--external', '--quiet'];
    const left = (await this.engine.query(list, { signal })).split('\n').filter((id) => id !== '');
    const remove = this.engine.name === 'buildah' ? ['rm'] : ['rm', '--force'];
    if (left.length > 0) await this.engine.query([...remove, ...left], { signal });
  }

  /** Copies images from the engine's own into here, as far as they are not here, under their names. @throws EngineError */
  async bring(images: readonly NamedImage[], signal: AbortSignal): Promise<void> {
    if (images.length === 0) return;
    const listed = await this.engine.query(['images', '--all', '--quiet', '--no-trunc'], { signal });
    const known = new Set(listed.split('\n').map(plainId));
    for (const image of images) {
      if (image.pinnedAt !== undefined) {
        await this.#pull(image, image.pinnedAt, signal);
        continue;
      }
      const id = plainId(image.id);
      if (!known.has(id)) await this.#main.query(['push', '--quiet', id, imageIn(this.#storage, `@${id}`)], { signal });
      await this.engine.query(['tag', id, image.name], { signal });
    }
  }

  /** A copy has layers that are not compressed, and so another digest: one that is named by its digest has to come from its registry. */
  async #pull({ name, platform }: NamedImage, registry: string, signal: AbortSignal): Promise<void> {
    const find = this.engine.name === 'buildah' ? ['inspect', '--type', 'image', name] : ['image', 'inspect', name];
    if ((await this.engine.command(find, { signal })).exitCode === 0) return;
    const flags = platform === undefined ? [] : ['--platform', platform];
    await this.engine.query(['pull', '--quiet', ...flags, ...this.engine.plainHttpFlags(registry), name], { signal });
  }

  /** Copies an image that was built here into the engine's own, under these names. @throws EngineError */
  async handOver(id: string, names: readonly string[], signal: AbortSignal): Promise<void> {
    await this.engine.query(['push', '--quiet', plainId(id), imageIn(this.#mainStorage, `@${plainId(id)}`)], { signal });
    for (const name of names) await this.#main.tag(plainId(id), name, signal);
  }
}

function plainId(id: string): string {
  return id.replace(/^sha256:/, '');
}
