import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { missingPrograms, startDockerDaemon } from '@berth/testkit';
import { findProgram, isRequired, runProgram } from '../clients/client-program.ts';
import { makeImage, readLayout, writeLayout } from '../clients/sample-image.ts';
import { NamespaceNetwork, missingForNamespaces } from './namespace-network.ts';
import { adminPassword } from './region.ts';
import { RegionWorld } from './region-world.ts';

const isLong = process.env['BERTH_LONG'] === '1';
const times = { skopeo: isLong ? 1_000 : 40, docker: isLong ? 100 : 8 };

test(`skopeo pulls in west what it has just pushed in east: ${times.skopeo} times, no miss`, {
  skip: skipWithout('skopeo', missingPrograms(['skopeo'])),
}, async (t) => {
  await using world = await RegionWorld.open({ replicas: ['west'] });
  const { east, west } = world.regions;
  const folder = await temporaryFolder(t);
  const skopeo = (...args: readonly string[]) => runProgram(findProgram('skopeo') ?? 'skopeo', args, { cwd: folder });
  const credentials = `local:${adminPassword}`;
  for (let index = 0; index < times.skopeo; index += 1) {
    const image = await makeImage('amd64', 50_000);
    const [from, to] = [join(folder, `from-${index}`), join(folder, `to-${index}`)];
    await writeLayout(from, image, 'v1');
    const name = `at-once/skopeo:v${index}`;
    const push = ['copy', '--preserve-digests', '--dest-tls-verify=false', '--dest-creds', credentials];
    await skopeo(...push, `oci:${from}:v1`, `docker://${east.server.host}/${name}`);
    const pull = ['copy', '--preserve-digests', '--src-tls-verify=false', '--src-creds', credentials];
    await skopeo(...pull, `docker://${west.server.host}/${name}`, `oci:${to}:v1`);
    assert.deepEqual(await readLayout(to), image.blobs);
    for (const each of [from, to]) await rm(each, { recursive: true });
  }
});

test(`docker pulls in west what it has just pushed in east: ${times.docker} times, no miss`, {
  skip: skipWithout('docker', missingForNamespaces() ?? missingPrograms(['docker', 'dockerd'])),
}, async (t) => {
  const network = await NamespaceNetwork.open();
  await using world = await RegionWorld.open({ replicas: ['west'], network });
  const { east, west } = world.regions;
  const { startedBy = [], host: address = '' } = network.placeOf('north');
  const engine = await startDockerDaemon(
    { startedBy, address, close: async () => undefined },
    { insecure: [east.server.host, west.server.host] },
  );
  t.after(() => engine.stop());
  const folder = await temporaryFolder(t);
  const docker = (args: readonly string[], input?: string | Uint8Array) =>
    runProgram(findProgram('docker') ?? 'docker', args, {
      env: { DOCKER_HOST: engine.host, DOCKER_CONFIG: folder },
      ...(input !== undefined && { input }),
    });
  for (const { server } of [east, west])
    await docker(['login', '--username', 'local', '--password-stdin', server.host], adminPassword);
  for (let index = 0; index < times.docker; index += 1) {
    const names = [east, west].map(({ server }) => `${server.host}/at-once/docker:v${index}`);
    const [pushed = '', pulled = ''] = names;
    await docker(['import', '-', pushed], await tarOf(randomBytes(50_000), folder));
    const id = (await docker(['image', 'inspect', '--format', '{{.Id}}', pushed])).stdout;
    await docker(['push', '--quiet', pushed]);
    await docker(['rmi', pushed]);
    await docker(['pull', '--quiet', pulled]);
    assert.equal((await docker(['image', 'inspect', '--format', '{{.Id}}', pulled])).stdout, id);
    await docker(['rmi', pulled]);
  }
});

/** An archive of one file. */
async function tarOf(bytes: Buffer, folder: string): Promise<Buffer> {
  const path = await mkdtemp(join(folder, 'layer-'));
  await writeFile(join(path, 'payload'), bytes);
  const { bytes: archive } = await runProgram(findProgram('tar') ?? 'tar', ['-C', path, '-cf', '-', 'payload']);
  await rm(path, { recursive: true });
  return archive;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-region-clients-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function skipWithout(client: string, missing: string | undefined): string | false {
  if (missing === undefined) return false;
  if (isRequired(client)) throw new Error(missing);
  return missing;
}
