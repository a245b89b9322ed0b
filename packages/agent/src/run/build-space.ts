import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, LayerStore } from '../engine/index.ts';
import type { BuildCache } from './build-arguments.ts';
import type { CacheUse } from './run-host.ts';
import type { AttemptContext, RunScene } from './run-scene.ts';

/** Where a build is done, and what it finds there of earlier ones. */
export interface BuildSpace {
  /** Builds with it keep their cache mounts apart from all others, and their layers if there is a store. */
  readonly engine: Engine;
  readonly store?: LayerStore | undefined;
  close(): void;
}

export interface BuildNeeds {
  readonly cache: BuildCache;
  /** Whether layers are kept for the next build, and whether what earlier ones kept is thrown away. Podman and buildah. */
  readonly layers: 'kept' | 'begun-anew' | 'none';
  readonly platform: string | undefined;
  readonly context: Pick<AttemptContext, 'signal' | 'say'>;
}

/** What the folder of cache mounts in the one for temporary files is called, later versions with the user behind it; the rest is of builds that were killed. */
const mountsPrefix = 'buildah-cache';
/** In the names of spaces with layers; the others have cache mounts. */
const layersMark = '-layers';
const patienceMs = 10 * 60_000;

/**
 * Docker's BuildKit keeps apart by itself what is not to be shared. Podman and buildah keep cache mounts of all builds under their
 * names in the folder for temporary files, and layers of all builds by the texts of their steps: a stranger's build would find them
 * there, and could change what others rely on. So those who may share have a folder and a store of their own; other builds have a
 * folder of the run's, and build all layers.
 */
export async function openBuildSpace({ host, engine }: RunScene, needs: BuildNeeds): Promise<BuildSpace> {
  const { cache } = needs;
  if (engine.name === 'docker') return { engine, close: () => {} };
  if (!cache.isShared) {
    const path = join(host.folder, 'temporary');
    await mkdir(path, { recursive: true, mode: 0o700 });
    return { engine: engine.withTemporaryFolder(path), close: () => {} };
  }
  const layers = needs.layers === 'none' ? undefined : await openLayers({ host, engine }, needs);
  try {
    const mounts = await host.openCache(cache.space, { isCounted: true, prepare: removeRest });
    return {
      engine: (layers?.store.engine ?? engine).withTemporaryFolder(mounts.path),
      store: layers?.store,
      close: () => {
        mounts.close();
        layers?.close();
      },
    };
  } catch (error) {
    layers?.close();
    throw error;
  }
}

async function removeRest(path: string, remove: (path: string) => Promise<void>): Promise<void> {
  for (const name of readdirSync(path)) if (!name.startsWith(mountsPrefix)) await remove(join(path, name));
}

/** How a space is made ready for its first user. @param name as it was opened with */
export function prepareSpace(machine: Machine, name: string): CacheUse['prepare'] {
  if (!name.includes(layersMark)) return removeRest;
  return async (folder) => {
    const { storage } = machine.engine.describe();
    if (storage === undefined) return;
    const store = new LayerStore(machine.engine, storage, { folder, runRoot: machine.inMemory(name) });
    await store.prepare(AbortSignal.timeout(patienceMs));
  };
}

interface Machine {
  readonly engine: Engine;
  inMemory(name: string): string;
}

/** Of one platform: images on nothing are found whatever they were built for. */
async function openLayers(
  { host, engine }: Pick<RunScene, 'host' | 'engine'>,
  { cache, platform, layers, context: { signal, say } }: BuildNeeds,
): Promise<{ readonly store: LayerStore; close(): void } | undefined> {
  const { storage } = engine.describe();
  if (storage === undefined) return undefined;
  const name = `${cache.space}${layersMark}${platform === undefined ? '' : `-${platform.replaceAll(/[^\w.]/g, '-')}`}`;
  const runRoot = host.inMemory(name);
  const machine = { engine, inMemory: () => runRoot };
  let isFirst = false;
  try {
    const { path, close } = await host.openCache(name, {
      isCounted: false,
      prepare: async (folder, remove) => {
        isFirst = true;
        if (layers === 'begun-anew') await new LayerStore(engine, storage, { folder, runRoot }).outdate();
        await prepareSpace(machine, name)(folder, remove);
      },
    });
    const store = new LayerStore(engine, storage, { folder: path, runRoot });
    // Other builds are at work there: what is in it goes once they are over.
    if (layers === 'begun-anew' && !isFirst) await store.outdate().catch(() => {});
    return { store, close };
  } catch (error) {
    signal.throwIfAborted();
    say(
      `All layers are built anew, for they cannot be kept apart here: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
