import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { mediaTypes } from '@berth/oci';
import { RegistryClient, contentOf, descriptorOf, forEachEngine, randomImage, randomIndex } from '@berth/testkit';
import { openTestImports } from './test-imports.ts';

/** As Debian's package installs it. */
const program = '/usr/bin/docker-registry';
const skip = existsSync(program) ? false : `${program} is not installed`;

const credentials = { username: 'reader', password: 'a secret' };
/** The password by bcrypt. */
const passwordLine = 'reader:$2y$05$abcdefghijklmnopqrstuuIAEipimVgSTxGS2VyWH9AhzRz3iJI3.\n';

/** A registry of another make, which asks for Basic and knows no referrers. */
async function startDockerRegistry(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [config, passwords] = [join(folder, 'config.yml'), join(folder, 'passwords')];
  await writeFile(passwords, passwordLine);
  const auth = `auth: { htpasswd: { realm: registry, path: ${passwords} } }`;
  await writeFile(config, `version: 0.1\nstorage: { inmemory: {} }\nhttp: { addr: '127.0.0.1:0' }\n${auth}\n`);
  const child = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => stop(child));
  for await (const line of createInterface({ input: child.stderr })) {
    const host = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (host === undefined) continue;
    child.stderr.resume();
    return host;
  }
  throw new Error('docker-registry did not start');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

forEachEngine((engine) => {
  test('an image of two platforms, with a signature, comes from a registry of another make', { skip }, async (t) => {
    const host = await startDockerRegistry(t);
    using client = new RegistryClient({ url: `http://${host}`, ...credentials, scheme: 'basic' });
    const index = randomIndex({ layerBytes: 3_000_000 });
    await client.pushIndex('app', index, 'v1');
    const signature = randomImage({ layers: 1, fields: { subject: descriptorOf(index.manifest) } });
    await client.pushImage('app', signature);
    const list = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [descriptorOf(signature.manifest)] };
    const tag = index.manifest.digest.replace(':', '-');
    await client.pushManifest('app', contentOf(mediaTypes.ociIndex, Buffer.from(JSON.stringify(list))), tag);

    const target = await openTestImports(engine, t);
    await target.import({ source: { registryUri: host, credentials }, sourceImage: 'app:v1' });
    await target.requireManifest('copy', index.manifest);
    for (const image of [...index.images, signature]) await target.requireImage('copy', image);
    const wrong = { registryUri: host, credentials: { ...credentials, password: 'wrong' } };
    await target.refuse({ source: wrong, sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
    await target.refuse({ source: { registryUri: host }, sourceImage: 'app:v1' }, 'INVALID_PARAMETER');
    await target.refuse({ source: { registryUri: host, credentials }, sourceImage: 'app:v2' }, 'MANIFEST_UNKNOWN');
  });
});
