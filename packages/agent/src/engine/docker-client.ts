import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const maxConfigBytes = 1 << 20;

/** What docker's client is told by the settings of the user who runs the agent: runs have settings of their own, with their logins alone. */
export interface DockerSettings {
  readonly folder: string;
  /** Where its plug-ins are, beside the places that it knows by itself. */
  readonly pluginFolders: readonly string[];
}

export async function readDockerSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<DockerSettings> {
  const folder = environment['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  return { folder, pluginFolders: [join(folder, 'cli-plugins'), ...(await extraPluginFolders(folder))] };
}

/** As Docker Desktop and package managers write them. What cannot be read the client tells of when it is asked. */
async function extraPluginFolders(folder: string): Promise<readonly string[]> {
  try {
    const text = await readFile(join(folder, 'config.json'), 'utf8');
    if (text.length > maxConfigBytes) return [];
    const { cliPluginsExtraDirs: folders } = JSON.parse(text) as { readonly cliPluginsExtraDirs?: unknown };
    return Array.isArray(folders) ? folders.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
