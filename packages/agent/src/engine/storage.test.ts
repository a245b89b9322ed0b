import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageIn, storageOf } from './storage.ts';

const place = { graphRoot: '/graph', runRoot: '/run/x' };

test('storage: another can be beside it with overlay and vfs, whatever its options are written as', () => {
  const plain = storageOf({ graphDriverName: 'overlay', ...place, graphOptions: null });
  assert.ok(plain !== undefined);
  assert.equal(imageIn(plain, '@12ab'), 'containers-storage:[overlay@/graph+/run/x]@12ab');
  const fuse = '/usr/bin/fuse-overlayfs';
  const podman = { 'overlay.mount_program': { Executable: fuse, Package: 'p' }, 'overlay.ignore_chown_errors': 'true' };
  const buildah = [`overlay.mount_program=${fuse}`, 'overlay.ignore_chown_errors=true'];
  for (const graphOptions of [podman, buildah]) {
    const storage = storageOf({ graphDriverName: 'overlay', ...place, graphOptions });
    assert.ok(storage !== undefined);
    assert.equal(
      imageIn(storage, 'a:1'),
      `containers-storage:[overlay@/graph+/run/x:overlay.mount_program=${fuse},overlay.ignore_chown_errors=true]a:1`,
    );
  }
  assert.equal(storageOf({ graphDriverName: 'vfs', ...place })?.driver, 'vfs');
});

test('storage: there is none beside it with drivers that want a file system of their own, or where it is not known', () => {
  for (const graphDriverName of ['btrfs', 'zfs']) assert.equal(storageOf({ graphDriverName, ...place }), undefined);
  assert.equal(storageOf({ graphDriverName: 'overlay' }), undefined);
});
