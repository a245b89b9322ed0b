import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingForNetwork, missingPrograms, startDockerDaemon } from '@berth/testkit';
import { findEngine } from '../engine/index.ts';
import { type EngineScope, type Session, suite } from './test-session.ts';

/** Defines the same tests with docker, podman and buildah. */
export function withEveryEngine(define: (get: () => Session, scope: EngineScope) => void): void {
  suite('docker', missingFor('docker', 'dockerd'), {
    define,
    open: async (network, registry) => {
      const daemon = await startDockerDaemon(network, { insecure: [registry] });
      const engine = await findEngine({ wanted: 'docker', host: daemon.host, log: () => {} });
      return { engine, stop: () => daemon.stop() };
    },
  });
  for (const wanted of ['podman', 'buildah'] as const)
    suite(wanted, missingFor(wanted, 'runc'), {
      define,
      open: async () => {
        const stop = await configurePodman(await mkdtemp(join(tmpdir(), `berth-${wanted}-`)));
        return { engine: await findEngine({ wanted, log: () => {} }), stop };
      },
    });
}

/** Why the engine with these programs cannot be tried here; undefined: it can. */
function missingFor(...programs: readonly string[]): string | undefined {
  return missingForNetwork() ?? missingPrograms(programs);
}

/** Storage and settings of their own; the machine may forbid to raise limits, and crun refuses hybrid control groups. */
export async function configurePodman(folder: string): Promise<() => Promise<void>> {
  const files = {
    'containers.conf':
      '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[network]\nnetwork_backend = "netavark"\n' +
      `network_config_dir = "${join(folder, 'networks')}"\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n`,
    'storage.conf': `[storage]\ndriver = "overlay"\ngraphroot = "${join(folder, 'graph')}"\nrunroot = "${join(folder, 'run')}"\n`,
    'registries.conf': 'unqualified-search-registries = []\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const environment = {
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    XDG_RUNTIME_DIR: folder,
    BUILDAH_ISOLATION: 'chroot',
  };
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, environment);
  return async () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    for (const path of mounts.filter((each) => each.startsWith(`${folder}/`)).toReversed())
      execFileSync('umount', ['--lazy', path]);
    await rm(folder, { recursive: true, force: true });
  };
}
