import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { type ContainerdEngine, startContainerd } from './containerd-engine.ts';
import { type SampleImage, type SampleIndex, makeImage, makeIndex, writeLayout } from './sample-image.ts';

clientSuite('ctr', ['ctr', 'containerd'], (session) => {
  let engine: ContainerdEngine | undefined;
  const ctr = async (...args: readonly string[]): Promise<ProgramOutput> => {
    if (engine === undefined) throw new Error('the engine did not start');
    return session.run('ctr', ['--address', engine.socket, ...args]);
  };
  const access = (password = session.target.password): readonly string[] => {
    const { transport, username } = session.target;
    const trust = transport === 'http' ? ['--plain-http'] : ['--hosts-dir', join(session.folder, 'hosts')];
    return [...trust, '--user', `${username}:${password}`];
  };
  /** Puts content into containerd under a name, as an engine's own build would. */
  const importAs = async (name: string, content: SampleImage | SampleIndex): Promise<void> => {
    const folder = name.replaceAll(/[^a-z0-9]/g, '-');
    await writeLayout(join(session.folder, folder), content, name);
    await session.run('tar', ['-C', join(session.folder, folder), '-cf', `${folder}.tar`, '.']);
    await ctr('images', 'import', '--all-platforms', '--no-unpack', `${folder}.tar`);
  };
  before(async () => {
    engine = await startContainerd(session);
    // Without this file ctr speaks plain HTTP to every loopback address.
    const folder = await session.trustAuthority('hosts', session.target.host);
    const hosts = `server = "${session.target.origin}"\n[host."${session.target.origin}"]\n  ca = "${join(folder, 'ca.crt')}"\n`;
    await writeFile(join(folder, 'hosts.toml'), hosts);
  });
  after(() => engine?.stop());

  test('pushes, pulls the same bytes, and is refused with a wrong password', async () => {
    const image = await makeImage();
    const name = session.image('ctr/image');
    await importAs(name, image);
    await assert.rejects(ctr('images', 'push', ...access('wrong'), name), /401|unauthorized|authorization failed/i);
    await ctr('images', 'push', ...access(), name);
    assert.deepEqual((await session.reader.manifest('ctr/image', 'v1')).bytes, image.manifestBytes);
    await ctr('images', 'remove', '--sync', name);
    await ctr('images', 'pull', ...access(), name);
    for (const [digest, bytes] of image.blobs) assert.deepEqual((await ctr('content', 'get', digest)).bytes, bytes);
    assert.deepEqual(await session.reader.tags('ctr/image'), ['v1']);
  });

  test('pushes and pulls a multi-architecture index', async () => {
    const index = await makeIndex();
    const name = session.image('ctr/index');
    await importAs(name, index);
    await ctr('images', 'push', ...access(), name);
    assert.deepEqual((await session.reader.manifest('ctr/index', 'v1')).bytes, index.bytes);
    await ctr('images', 'remove', '--sync', name);
    await ctr('images', 'pull', '--all-platforms', ...access(), name);
    for (const image of index.images) {
      for (const [digest, bytes] of image.blobs) assert.deepEqual((await ctr('content', 'get', digest)).bytes, bytes);
    }
  });
});
