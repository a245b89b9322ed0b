import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ClientSession, clientSuite } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';
import { type DockerEngine, startDockerEngine } from './docker-engine.ts';

clientSuite('docker', ['docker', 'dockerd'], (session) => {
  let engine: DockerEngine | undefined;
  const docker = async (args: readonly string[], input?: string): Promise<ProgramOutput> => {
    if (engine === undefined) throw new Error('the engine did not start');
    const env = { DOCKER_CONFIG: join(session.folder, 'docker'), DOCKER_BUILDKIT: '0', DOCKER_CLI_EXPERIMENTAL: 'enabled' };
    return session.run('docker', ['--host', engine.host, ...args], { env, ...(input !== undefined && { input }) });
  };
  before(async () => {
    engine = await startDockerEngine(session);
  });
  after(() => engine?.stop());

  test('signs in, and is refused with a wrong password', async () => {
    const login = ['login', '--username', session.target.username, '--password-stdin', session.target.host];
    await assert.rejects(docker(login, 'wrong'), /unauthorized|401/i);
    assert.match((await docker(login, session.target.password)).stdout, /Login Succeeded/);
    // A refresh token in the place of the password would sign docker out in hours, and keep podman from signing in.
    assert.doesNotMatch(await readFile(join(session.folder, 'docker', 'config.json'), 'utf8'), /identitytoken/);
  });

  test('builds, pushes, pulls and finds the same bytes', async () => {
    const name = session.image('docker/image');
    const context = await writeContext(session, 'image', 3_000_000);
    await docker(['build', '--tag', name, context]);
    await docker(['push', name]);
    const id = await inspect(docker, name, '{{.Id}}');
    const repoDigest = (await inspect(docker, name, '{{index .RepoDigests 0}}')).split('@')[1] ?? '';
    const stored = await session.reader.manifest('docker/image', 'v1');
    assert.equal(stored.digest, repoDigest);
    await docker(['rmi', '--force', id]);
    await docker(['pull', name]);
    // The id is the digest of the config, which holds the digests of all layers: equal ids are equal bytes.
    assert.equal(await inspect(docker, name, '{{.Id}}'), id);
    const container = (await docker(['create', name, '/payload'])).stdout.trim();
    await docker(['cp', `${container}:/payload`, join(session.folder, 'payload-pulled')]);
    await docker(['rm', container]);
    assert.deepEqual(await readFile(join(session.folder, 'payload-pulled')), await readFile(join(context, 'payload')));
    await docker(['rmi', '--force', id]);
    await docker(['pull', session.image('docker/image', repoDigest)]);
    assert.deepEqual(await session.reader.tags('docker/image'), ['v1']);
  });

  test('pushes layers that the registry holds already without sending them', async () => {
    const [first, second] = [session.image('docker/image', 'v1'), session.image('docker/mounted', 'v1')];
    await docker(['tag', session.image('docker/image', (await session.reader.manifest('docker/image', 'v1')).digest), first]);
    await docker(['push', first]);
    await docker(['tag', first, second]);
    const { stdout } = await docker(['push', second]);
    assert.match(stdout, /Mounted from|Layer already exists/);
    assert.equal((await session.reader.manifest('docker/mounted', 'v1')).status, 200);
  });

  test('pushes a manifest list and pulls the image of its platform', async () => {
    const names: string[] = [];
    for (const architecture of ['amd64', 'arm64']) {
      const name = session.image('docker/multi', architecture);
      await docker(['build', '--tag', name, await writeContext(session, `multi-${architecture}`, 20_000)]);
      await docker(['push', name]);
      names.push(name);
    }
    const [amd64 = '', arm64 = ''] = names;
    const list = session.image('docker/multi', 'v1');
    if (session.target.transport === 'http') {
      await docker(['manifest', 'create', '--insecure', list, amd64, arm64]);
      await docker(['manifest', 'annotate', '--arch', 'arm64', list, arm64]);
      await docker(['manifest', 'push', '--insecure', list]);
    } else {
      // For loopback addresses `docker manifest` never tries TLS.
      const entries = ['amd64', 'arm64'].map(async (architecture) => ({
        architecture,
        digest: (await session.reader.manifest('docker/multi', architecture)).digest,
      }));
      await session.reader.putList('docker/multi', 'v1', await Promise.all(entries));
    }
    const id = await inspect(docker, amd64, '{{.Id}}');
    await docker(['pull', list]);
    assert.equal(await inspect(docker, list, '{{.Id}}'), id);
    const stored = JSON.parse((await session.reader.manifest('docker/multi', 'v1')).bytes.toString('utf8')) as {
      manifests: unknown[];
    };
    assert.equal(stored.manifests.length, 2);
    assert.deepEqual(await session.reader.tags('docker/multi'), ['amd64', 'arm64', 'v1']);
  });
});

async function inspect(
  docker: (args: readonly string[]) => Promise<ProgramOutput>,
  name: string,
  format: string,
): Promise<string> {
  return (await docker(['image', 'inspect', '--format', format, name])).stdout.trim();
}

async function writeContext(session: ClientSession, name: string, payloadBytes: number): Promise<string> {
  const context = join(session.folder, `context-${name}`);
  await mkdir(context);
  await writeFile(join(context, 'payload'), randomBytes(payloadBytes));
  await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY payload /payload\nLABEL berth.test=docker\n');
  return context;
}
