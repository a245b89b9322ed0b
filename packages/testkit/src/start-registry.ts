import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, loadSettings } from '@berth/server';

export interface StartOptions {
  /** Settings by name (`garbageDelay`), as texts. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: a new folder that goes with the registry. */
  readonly dataDir?: string;
}

/** A registry in this process, on a free port. */
export interface StartedRegistry {
  readonly url: string;
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly dataDir: string;
  /** As SIGHUP does to a process of its own. */
  reloadCertificate(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a whole registry in one call. */
export async function startRegistry(options: StartOptions = {}): Promise<StartedRegistry> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'berth-test-')));
  const given = Object.entries(options.settings ?? {}).map(([name, value]) => [
    `BERTH_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    value,
  ]);
  const env = {
    BERTH_DATA: dataDir,
    BERTH_HOST: '127.0.0.1',
    BERTH_PORT: '0',
    BERTH_LOG_LEVEL: 'silent',
    // Tests start the agents that they want.
    BERTH_AGENT: 'off',
    ...Object.fromEntries(given),
  };
  const server = createServer(loadSettings({ argv: [], env, cwd: dataDir }).settings);
  const removeData = async (): Promise<void> => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const facts = await server.start().catch(async (error: unknown) => {
    await removeData();
    throw error;
  });
  const first = JSON.parse(await readFile(facts.firstRunFile, 'utf8')) as { username: string; password: string };
  return {
    url: facts.origin,
    host: new URL(facts.origin).host,
    username: first.username,
    password: first.password,
    dataDir,
    reloadCertificate: () => server.reloadCertificate(),
    stop: async () => {
      await server.stop();
      await removeData();
    },
  };
}
