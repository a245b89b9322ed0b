import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientSession } from './client-suite.ts';
import type { ProgramOutput } from './client-program.ts';

/** Podman or Buildah with storage, configuration and sign-ins of the session's own. */
export interface PodmanEngine {
  run(args: readonly string[], input?: string): Promise<ProgramOutput>;
  /** Options that make the program trust the target, for commands that talk to it. */
  readonly trust: readonly string[];
}

export async function preparePodman(session: ClientSession, program: 'podman' | 'buildah'): Promise<PodmanEngine> {
  const folder = join(session.folder, program);
  await mkdir(folder, { recursive: true });
  const files = {
    // The machine may forbid to raise limits, and crun refuses hybrid control groups.
    'containers.conf':
      '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n',
    'storage.conf': `[storage]\ndriver = "vfs"\ngraphroot = "${join(folder, 'graph')}"\nrunroot = "${join(folder, 'run')}"\n`,
    'registries.conf': 'unqualified-search-registries = []\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const certificates = await session.trustAuthority(program, 'certs');
  const env = {
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    REGISTRY_AUTH_FILE: join(folder, 'auth.json'),
    XDG_RUNTIME_DIR: folder,
  };
  return {
    run: async (args, input) => session.run(program, args, { env, ...(input !== undefined && { input }) }),
    trust: session.target.transport === 'http' ? ['--tls-verify=false'] : [`--cert-dir=${certificates}`],
  };
}
