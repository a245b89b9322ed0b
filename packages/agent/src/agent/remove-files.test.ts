import assert from 'node:assert/strict';
import { mkdtemp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingForNetwork, missingPrograms, openTestNetwork, startDockerDaemon } from '@berth/testkit';
import { findEngine } from '../engine/index.ts';
import { removeAsEngine } from './remove-files.ts';

const reason = missingForNetwork() ?? missingPrograms(['docker', 'dockerd']);

test('docker removes what its containers made, without an image, and leaves nothing of its own', {
  skip: reason ?? false,
}, async () => {
  await using opened = new AsyncDisposableStack();
  const network = opened.adopt(await openTestNetwork(), (each) => each.close());
  const daemon = opened.adopt(await startDockerDaemon(network, {}), (each) => each.stop());
  const engine = await findEngine({ wanted: 'docker', host: daemon.host, log: () => {} });
  const root = opened.adopt(await mkdtemp(join(tmpdir(), 'berth-remove-')), (each) => rm(each, { recursive: true }));
  await mkdir(join(root, 'run', 'closed'), { recursive: true, mode: 0o700 });
  await writeFile(join(root, 'run', 'closed', 'file'), 'x');
  await writeFile(join(root, 'kept'), 'x');
  await symlink(join(root, 'kept'), join(root, 'run', 'link'));
  await removeAsEngine(join(root, 'run'), engine);
  assert.deepEqual(await readdir(root), ['kept']);
  assert.equal(await engine.query(['ps', '--all', '--quiet']), '');
  assert.equal(await engine.query(['image', 'ls', '--all', '--quiet']), '');
});
