import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryLogin } from '@berth/api';

/** Folders with a `config.json` each, as docker, podman, helm and oras read it. */
export interface LoginFolders {
  /** For the engine's client: all logins of the run. */
  readonly engine: string;
  /** A file for steps, which have the run's own registry only. Whoever the step's user is must be able to read it. */
  readonly stepFile: string;
}

/** @param pluginFolders where the engine's client finds plug-ins */
export async function writeLogins(
  folder: string,
  logins: readonly RegistryLogin[],
  pluginFolders: readonly string[] = [],
): Promise<LoginFolders> {
  const engine = join(folder, 'engine');
  const steps = join(folder, 'steps');
  for (const each of [engine, steps]) await mkdir(each, { recursive: true, mode: 0o700 });
  await writeFile(join(engine, 'config.json'), configOf(logins, pluginFolders), { mode: 0o600 });
  const stepFile = join(steps, 'config.json');
  // Its folder is closed to others of this machine.
  await writeFile(stepFile, configOf(logins.slice(0, 1)), { mode: 0o644 });
  return { engine, stepFile };
}

function configOf(logins: readonly RegistryLogin[], pluginFolders: readonly string[] = []): string {
  const auths = logins.map(({ server, username, password }) => [
    server === 'docker.io' ? 'https://index.docker.io/v1/' : server,
    { auth: Buffer.from(`${username}:${password}`).toString('base64') },
  ]);
  return JSON.stringify({
    auths: Object.fromEntries(auths),
    ...(pluginFolders.length > 0 && { cliPluginsExtraDirs: pluginFolders }),
  });
}
