import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clientSuite } from './client-suite.ts';
import { unmountBelow } from './daemon.ts';
import { type PodmanEngine, preparePodman } from './podman-engine.ts';

clientSuite('podman', ['podman', 'runc'], (session) => {
  let engine: PodmanEngine;
  before(async () => {
    engine = await preparePodman(session, 'podman');
  });
  after(() => unmountBelow(session.folder));
  const idOf = async (name: string): Promise<string> =>
    (await engine.run(['image', 'inspect', '--format', '{{.Id}}', name])).stdout.trim();
  const build = async (name: string, payload: Buffer): Promise<void> => {
    const context = join(session.folder, `context-${randomBytes(4).toString('hex')}`);
    await mkdir(context);
    await writeFile(join(context, 'payload'), payload);
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY payload /payload\nLABEL berth.test=podman\n');
    await engine.run(['build', '--isolation=chroot', '--tag', name, context]);
  };

  test('signs in, and is refused with a wrong password', async () => {
    const login = ['login', ...engine.trust, '--username', session.target.username, '--password-stdin', session.target.host];
    await assert.rejects(engine.run(login, 'wrong'), /invalid username\/password|unauthorized|authentication required/i);
    assert.match((await engine.run(login, session.target.password)).stdout, /Login Succeeded/);
  });

  test('builds, pushes, pulls and finds the same bytes', async () => {
    const [name, payload] = [session.image('podman/image'), randomBytes(2_000_000)];
    await build(name, payload);
    const id = await idOf(name);
    await engine.run(['push', ...engine.trust, name]);
    await engine.run(['rmi', '--force', id]);
    await engine.run(['pull', ...engine.trust, name]);
    assert.equal(await idOf(name), id);
    const container = (await engine.run(['create', '--network=none', name, '/payload'])).stdout.trim();
    const copy = join(session.folder, 'payload-pulled');
    await engine.run(['cp', `${container}:/payload`, copy]);
    await engine.run(['rm', container]);
    assert.deepEqual(await readFile(copy), payload);
    // `search` knows no --cert-dir: over TLS it trusts SSL_CERT_FILE.
    const insecure = session.target.transport === 'http' ? ['--tls-verify=false'] : [];
    const searched = await engine.run([
      'search',
      ...insecure,
      '--list-tags',
      '--format=json',
      `${session.target.host}/podman/image`,
    ]);
    assert.deepEqual((JSON.parse(searched.stdout) as { Tags: string[] }[])[0]?.Tags, ['v1']);
    await engine.run([
      'pull',
      ...engine.trust,
      session.image('podman/image', (await session.reader.manifest('podman/image', 'v1')).digest),
    ]);
  });

  test('pushes in the format of Docker schema 2, too', async () => {
    const name = session.image('podman/schema2');
    await build(name, randomBytes(1000));
    await engine.run(['push', ...engine.trust, '--format=v2s2', name]);
    const stored = JSON.parse((await session.reader.manifest('podman/schema2', 'v1')).bytes.toString('utf8')) as {
      mediaType: string;
    };
    assert.equal(stored.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
  });

  test('pushes a multi-architecture index with its images and pulls one of them', async () => {
    const names = ['amd64', 'arm64'].map((architecture) => session.image('podman/multi', architecture));
    const [amd64 = '', arm64 = ''] = names;
    await build(amd64, randomBytes(1000));
    await build(arm64, randomBytes(1000));
    const id = await idOf(amd64);
    await engine.run(['manifest', 'create', 'localhost/multi']);
    await engine.run(['manifest', 'add', '--arch=amd64', 'localhost/multi', `containers-storage:${amd64}`]);
    await engine.run(['manifest', 'add', '--arch=arm64', 'localhost/multi', `containers-storage:${arm64}`]);
    await engine.run([
      'manifest',
      'push',
      '--all',
      ...engine.trust,
      'localhost/multi',
      `docker://${session.image('podman/multi')}`,
    ]);
    await engine.run(['rmi', '--force', amd64, arm64]);
    await engine.run(['pull', ...engine.trust, '--arch=amd64', session.image('podman/multi')]);
    assert.equal(await idOf(session.image('podman/multi')), id);
    const stored = JSON.parse((await session.reader.manifest('podman/multi', 'v1')).bytes.toString('utf8')) as {
      manifests: unknown[];
    };
    assert.equal(stored.manifests.length, 2);
  });
});
