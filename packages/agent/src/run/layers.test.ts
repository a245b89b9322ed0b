import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { missingForNetwork, missingPrograms } from '@berth/testkit';
import { removeFiles } from '../agent/remove-files.ts';
import { type Engine, LayerStore, findEngine } from '../engine/index.ts';
import { configurePodman } from './test-engines.ts';

interface Opened {
  readonly engine: Engine;
  readonly store: LayerStore;
  readonly folder: string;
  /** Builds an image on nothing, whose last step is this program. */
  build(program: readonly string[], signal: AbortSignal): Promise<number | null>;
}

async function open(t: TestContext, wanted: 'podman' | 'buildah'): Promise<Opened> {
  const root = await mkdtemp(join(tmpdir(), 'berth-layers-'));
  const stop = await configurePodman(await mkdtemp(join(tmpdir(), `berth-${wanted}-`)));
  const engine = await findEngine({ wanted, log: () => {} });
  const folder = join(root, 'store');
  t.after(async () => {
    await removeFiles(root, engine);
    await stop();
  });
  const runRoot = join(root, 'run');
  assert.ok(runRoot.length <= 50);
  const { storage } = engine.describe();
  assert.ok(storage !== undefined);
  const store = new LayerStore(engine, storage, { folder, runRoot });
  await store.prepare(t.signal);
  const context = join(root, 'context');
  await mkdir(context);
  await copyFile('/bin/busybox', join(context, 'busybox'));
  const build = async (program: readonly string[], signal: AbortSignal): Promise<number | null> => {
    const run = JSON.stringify(['/bin/busybox', ...program]);
    await writeFile(join(context, 'Dockerfile'), `FROM scratch\nCOPY busybox /bin/busybox\nRUN ${run}\n`);
    const { exitCode } = await store.engine.command(
      [wanted === 'buildah' ? 'bud' : 'build', '--layers', `--iidfile=${join(root, 'id')}`, context],
      { signal, environment: {} },
    );
    return exitCode;
  };
  return { engine, store, folder, build };
}

/** File systems of containers that are mounted in a folder. */
async function mountsIn(folder: string): Promise<readonly string[]> {
  const places = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  return places.filter((place) => place.startsWith(`${folder}/`) && place.endsWith('/merged'));
}

for (const wanted of ['podman', 'buildah'] as const) {
  const reason = missingForNetwork() ?? missingPrograms([wanted, 'runc']);

  test(`${wanted}: what a killed build left in a store of layers is removed before the next, its layers stay`, {
    skip: reason ?? false,
  }, async (t) => {
    const { store, folder, build } = await open(t, wanted);
    assert.equal(await build(['true'], t.signal), 0);
    const stopped = new AbortController();
    const killed = build(['sleep', '600'], stopped.signal);
    while ((await mountsIn(folder)).length === 0) await new Promise((resolve) => void setImmediate(resolve));
    stopped.abort();
    await killed;
    await store.prepare(t.signal);
    assert.deepEqual(await mountsIn(folder), []);
    const images = await store.engine.query(['images', '--all', '--quiet']);
    assert.equal(new Set(images.split('\n').filter((id) => id !== '')).size, 2);
  });

  test(`${wanted}: a damaged store of layers is begun anew`, { skip: reason ?? false }, async (t) => {
    const { store, folder, build } = await open(t, wanted);
    assert.equal(await build(['true'], t.signal), 0);
    await writeFile(join(folder, 'overlay-containers', 'containers.json'), '{"not":');
    await store.prepare(t.signal);
    assert.equal(await build(['true'], t.signal), 0);
    const images = await store.engine.query(['images', '--all', '--quiet']);
    assert.equal(new Set(images.split('\n').filter((id) => id !== '')).size, 2);
  });

  test(`${wanted}: a store of layers is removed though file systems are mounted in it`, { skip: reason ?? false }, async (t) => {
    const { engine, folder, build } = await open(t, wanted);
    const stopped = new AbortController();
    const killed = build(['sleep', '600'], stopped.signal);
    while ((await mountsIn(folder)).length === 0) await new Promise((resolve) => void setImmediate(resolve));
    stopped.abort();
    await killed;
    await removeFiles(folder, engine);
    assert.deepEqual(await readdir(join(folder, '..')).then((names) => names.filter((name) => name === 'store')), []);
    assert.deepEqual(await mountsIn(folder), []);
  });
}
