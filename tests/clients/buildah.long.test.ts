import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import { unmountBelow } from './daemon.ts';
import { type PodmanEngine, preparePodman } from './podman-engine.ts';
import { readLayout } from './sample-image.ts';

clientSuite('buildah', ['buildah'], (session) => {
  let engine: PodmanEngine;
  before(async () => {
    engine = await preparePodman(session, 'buildah');
  });
  after(() => unmountBelow(session.folder));
  const build = async (name: string, options: readonly string[] = []): Promise<void> => {
    const context = join(session.folder, `context-${randomBytes(4).toString('hex')}`);
    await mkdir(context);
    await writeFile(join(context, 'payload'), randomBytes(300_000));
    await writeFile(join(context, 'Containerfile'), 'FROM scratch\nCOPY payload /payload\nLABEL berth.test=buildah\n');
    await engine.run(['bud', '--isolation=chroot', ...options, '--tag', name, context]);
  };

  test('signs in, and is refused with a wrong password', async () => {
    const login = ['login', ...engine.trust, '--username', session.target.username, '--password-stdin', session.target.host];
    await assert.rejects(engine.run(login, 'wrong'), /invalid username\/password|unauthorized|authentication required/i);
    await engine.run(login, session.target.password);
  });

  test('builds, pushes, pulls and finds the same bytes', async () => {
    const name = session.image('buildah/image');
    await build(name);
    await engine.run(['push', ...engine.trust, name]);
    await engine.run(['push', name, `oci:${join(session.folder, 'before')}:v1`]);
    await engine.run(['rmi', '--force', name]);
    await engine.run(['pull', ...engine.trust, name]);
    await engine.run(['push', name, `oci:${join(session.folder, 'after')}:v1`]);
    assert.deepEqual(await readLayout(join(session.folder, 'after')), await readLayout(join(session.folder, 'before')));
    assert.deepEqual(await session.reader.tags('buildah/image'), ['v1']);
  });

  test('builds upon an image of the registry', async () => {
    const context = join(session.folder, 'context-from');
    await mkdir(context);
    await writeFile(join(context, 'more'), 'more');
    await writeFile(join(context, 'Containerfile'), `FROM ${session.image('buildah/image')}\nCOPY more /more\n`);
    const name = session.image('buildah/derived');
    await engine.run(['bud', '--isolation=chroot', '--pull-always', ...engine.trust, '--tag', name, context]);
    await engine.run(['push', ...engine.trust, name]);
    const { layers } = JSON.parse((await session.reader.manifest('buildah/derived', 'v1')).bytes.toString('utf8')) as {
      layers: unknown[];
    };
    assert.equal(layers.length, 2);
  });

  test('pushes a multi-architecture index with its images', async () => {
    for (const architecture of ['amd64', 'arm64'])
      await build(`localhost/${architecture}`, ['--arch', architecture, '--manifest', 'localhost/multi']);
    await engine.run([
      'manifest',
      'push',
      '--all',
      ...engine.trust,
      'localhost/multi',
      `docker://${session.image('buildah/multi')}`,
    ]);
    const stored = JSON.parse((await session.reader.manifest('buildah/multi', 'v1')).bytes.toString('utf8')) as {
      manifests: { digest: string; platform: { architecture: string } }[];
    };
    assert.deepEqual(stored.manifests.map(({ platform }) => platform.architecture).toSorted(), ['amd64', 'arm64']);
    for (const { digest } of stored.manifests) assert.equal((await session.reader.manifest('buildah/multi', digest)).status, 200);
  });
});
