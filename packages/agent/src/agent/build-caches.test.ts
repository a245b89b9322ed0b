import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BuildCaches } from './build-caches.ts';
import { removeTree } from './work-folder.ts';

const block = 64 * 1024;

describe('caches of builds', () => {
  let folder: string;
  let time: number;
  const told: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-caches-'));
    time = 0;
    told.length = 0;
  });
  afterEach(() => removeTree(folder));

  function open(maxBytes: number, remove: (path: string) => Promise<void> = removeTree): BuildCaches {
    return new BuildCaches(folder, { maxBytes, remove, now: () => time, log: (message) => told.push(message) });
  }

  /** A cache mount of one block, last used so many seconds ago. */
  function fill(space: string, agoSeconds: number): void {
    const mount = join(folder, space, 'buildah-cache-0', 'npm');
    mkdirSync(mount, { recursive: true });
    writeFileSync(join(mount, 'packages'), Buffer.alloc(block, 'x'));
    const then = new Date(Date.now() - agoSeconds * 1000);
    utimesSync(join(folder, space), then, then);
  }

  test('the longest unused go when there are too many, those in use stay', async () => {
    for (const [space, ago] of [
      ['old', 300],
      ['older', 400],
      ['oldest', 500],
      ['new', 100],
    ] as const)
      fill(space, ago);
    const caches = open(3 * block);
    const held = await caches.open('oldest');
    caches.prune();
    await caches.settled();
    assert.deepEqual(readdirSync(folder).toSorted(), ['new', 'old', 'oldest']);
    held.close();
    assert.ok(existsSync(join(folder, 'oldest', 'buildah-cache-0', 'npm', 'packages')));
  });

  test('what was used last is kept; they are counted every ten minutes at the most', async () => {
    fill('first', 300);
    fill('second', 200);
    const caches = open(1.5 * block);
    (await caches.open('first')).close();
    await caches.settled();
    assert.deepEqual(readdirSync(folder), ['first']);
    fill('third', 100);
    (await caches.open('first')).close();
    await caches.settled();
    assert.deepEqual(readdirSync(folder).toSorted(), ['first', 'third']);
    time += 10 * 60_000;
    (await caches.open('first')).close();
    await caches.settled();
    assert.deepEqual(readdirSync(folder), ['first']);
  });

  test('what a killed build left beside the mounts is removed, unless another build is at work there', async () => {
    const caches = open(10 * block);
    fill('mine', 10);
    writeFileSync(join(folder, 'mine', 'buildah123'), 'half an image');
    const first = await caches.open('mine');
    assert.deepEqual(readdirSync(first.path), ['buildah-cache-0']);
    writeFileSync(join(first.path, 'buildah456'), 'at work');
    const second = await caches.open('mine');
    assert.deepEqual(readdirSync(second.path).toSorted(), ['buildah-cache-0', 'buildah456']);
    first.close();
    second.close();
    await caches.settled();
  });

  test('what cannot be removed is told of, and the rest goes on', async () => {
    fill('a', 300);
    fill('b', 200);
    const caches = open(0, async (path) => {
      if (path.endsWith('b')) throw new Error('it is busy');
      await removeTree(path);
    });
    caches.prune();
    await caches.settled();
    assert.deepEqual(readdirSync(folder), ['removed-b']);
    assert.match(told.join('\n'), /b could not be removed: it is busy/);
    const again = open(10 * block);
    again.prune();
    await again.settled();
    assert.deepEqual(readdirSync(folder), []);
  });
});
