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
  const forgotten: string[] = [];
  const ready = async (): Promise<void> => {};
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-caches-'));
    time = 0;
    told.length = 0;
    forgotten.length = 0;
  });
  afterEach(() => removeTree(folder));

  function open(maxBytes: number, remove: (path: string) => Promise<void> = removeTree): BuildCaches {
    return new BuildCaches(folder, {
      maxBytes,
      remove,
      forget: async (space) => void forgotten.push(space),
      now: () => time,
      log: (message) => told.push(message),
    });
  }

  function spaces(): readonly string[] {
    return readdirSync(folder)
      .filter((name) => name !== 'in-use')
      .toSorted();
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
    const held = await caches.open('oldest', ready);
    caches.prune();
    await caches.settled();
    assert.deepEqual(spaces(), ['new', 'old', 'oldest']);
    assert.deepEqual(forgotten, ['older']);
    held.close();
    assert.ok(existsSync(join(folder, 'oldest', 'buildah-cache-0', 'npm', 'packages')));
  });

  test('what was used last is kept; they are counted every ten minutes at the most', async () => {
    fill('first', 300);
    fill('second', 200);
    const caches = open(1.5 * block);
    (await caches.open('first', ready)).close();
    await caches.settled();
    assert.deepEqual(spaces(), ['first']);
    fill('third', 100);
    (await caches.open('first', ready)).close();
    await caches.settled();
    assert.deepEqual(spaces(), ['first', 'third']);
    time += 10 * 60_000;
    (await caches.open('first', ready)).close();
    await caches.settled();
    assert.deepEqual(spaces(), ['first']);
  });

  test('a folder is made ready for the first of those who use it at the same time, and the others wait', async () => {
    const caches = open(10 * block);
    const preparing = Promise.withResolvers<void>();
    const calls: string[] = [];
    const prepare = async (path: string, remove: (path: string) => Promise<void>): Promise<void> => {
      calls.push(path);
      await preparing.promise;
      await remove(join(path, 'rest'));
    };
    fill('mine', 10);
    writeFileSync(join(folder, 'mine', 'rest'), 'half an image');
    const opening = [caches.open('mine', prepare), caches.open('mine', prepare)];
    preparing.resolve();
    const [first, second] = await Promise.all(opening);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(readdirSync(first.path), ['buildah-cache-0']);
    assert.deepEqual(calls, [first.path]);
    first.close();
    (await caches.open('mine', prepare)).close();
    assert.equal(calls.length, 1);
    second.close();
    (await caches.open('mine', prepare)).close();
    assert.equal(calls.length, 2);
    await caches.settled();
  });

  test('what was in use when an agent was killed is made ready before anything else, and that alone', async () => {
    const killed = open(10 * block);
    for (const space of ['a', 'b', 'c']) fill(space, 10);
    (await killed.open('a', ready)).close();
    for (const space of ['b', 'c']) await killed.open(space, ready);
    await killed.settled();
    const next = open(10 * block);
    const recovered: string[] = [];
    const recover = (): Promise<void> =>
      next.recover((space) => async (path) => {
        recovered.push(space);
        assert.equal(path, join(folder, space));
        if (space === 'b') throw new Error('it is damaged');
      });
    await recover();
    assert.deepEqual(recovered.toSorted(), ['b', 'c']);
    assert.match(told.join('\n'), /in b could not be removed: it is damaged/);
    await recover();
    assert.equal(recovered.length, 2);
    await next.settled();
  });

  test('a folder that cannot be made ready is not used, and may be the next time', async () => {
    const caches = open(10 * block);
    const fail = (): Promise<void> => Promise.reject(new Error('no room'));
    const opening = [caches.open('mine', fail), caches.open('mine', fail)];
    for (const each of opening) await assert.rejects(each, /no room/);
    const opened = await caches.open('mine', ready);
    assert.ok(existsSync(opened.path));
    opened.close();
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
    assert.deepEqual(spaces(), ['removed-b']);
    assert.match(told.join('\n'), /b could not be removed: it is busy/);
    const again = open(10 * block);
    again.prune();
    await again.settled();
    assert.deepEqual(spaces(), []);
  });
});
